"""The words Finding, Verdict and Decision, and how a finding becomes a sentence; pure."""

from fairway.policy.findings import ALLOW as ALLOW
from fairway.policy.findings import Decision as Decision
from fairway.policy.findings import Finding as Finding
from fairway.policy.findings import Severity as Severity
from fairway.policy.findings import Verdict as Verdict
from fairway.policy.findings import decide as decide
from fairway.policy.sentences import Words as Words
from fairway.policy.sentences import rule_word as rule_word
from fairway.policy.sentences import rule_words as rule_words
from fairway.policy.sentences import sentence as sentence
from fairway.policy.sentences import tell as tell
from fairway.policy.sentences import waived_sentence as waived_sentence
