"""The base of every API endpoint and page: who is calling, one command or a few queries, the answer.

It stands in accounts because a caller is found by session or token; contexts above use it as a door.
"""

from fairway.accounts.limits import take_stranger as take_stranger
from fairway.accounts.web.calling import UNSAFE as UNSAFE
from fairway.accounts.web.calling import ActorMiddleware as ActorMiddleware
from fairway.accounts.web.calling import BearerOrSession as BearerOrSession
from fairway.accounts.web.calling import actor_of as actor_of
from fairway.accounts.web.calling import authenticated as authenticated
from fairway.accounts.web.calling import caller as caller
from fairway.accounts.web.calling import request_id as request_id
from fairway.accounts.web.calling import token_of as token_of
from fairway.accounts.web.calling import way_back as way_back
from fairway.accounts.web.calling import zone_of as zone_of
from fairway.accounts.web.endpoints import KEPT_HEADERS as KEPT_HEADERS
from fairway.accounts.web.endpoints import ApiController as ApiController
from fairway.accounts.web.endpoints import DryRun as DryRun
from fairway.accounts.web.endpoints import Q as Q
from fairway.accounts.web.endpoints import differing as differing
from fairway.accounts.web.endpoints import gather_custom as gather_custom
from fairway.accounts.web.operations import FILES as FILES
from fairway.accounts.web.operations import MERGE_PATCH as MERGE_PATCH
from fairway.accounts.web.operations import NOTHING as NOTHING
from fairway.accounts.web.operations import PROBLEM_SPECS as PROBLEM_SPECS
from fairway.accounts.web.operations import RENDERERS as RENDERERS
from fairway.accounts.web.operations import WITH_FILES as WITH_FILES
from fairway.accounts.web.operations import XLSX as XLSX
from fairway.accounts.web.operations import T as T
from fairway.accounts.web.operations import operation as operation
from fairway.accounts.web.pages import View as View
from fairway.accounts.web.pages import form_data as form_data
from fairway.accounts.web.pages import page as page
from fairway.accounts.web.pages import problem_page as problem_page
from fairway.accounts.web.problems import CSV as CSV
from fairway.accounts.web.problems import JSON as JSON
from fairway.accounts.web.problems import NDJSON as NDJSON
from fairway.accounts.web.problems import PROBLEM_HEADERS as PROBLEM_HEADERS
from fairway.accounts.web.problems import PROBLEM_JSON as PROBLEM_JSON
from fairway.accounts.web.problems import PROBLEMS as PROBLEMS
from fairway.accounts.web.problems import STREAM as STREAM
from fairway.accounts.web.problems import problem_of as problem_of
from fairway.accounts.web.problems import problem_response as problem_response
from fairway.accounts.web.problems import too_large as too_large
from fairway.accounts.web.problems import unauthenticated as unauthenticated
from fairway.accounts.web.shapes import DecisionView as DecisionView
from fairway.accounts.web.shapes import DifferenceView as DifferenceView
from fairway.accounts.web.shapes import FieldErrorView as FieldErrorView
from fairway.accounts.web.shapes import FindingView as FindingView
from fairway.accounts.web.shapes import PlanView as PlanView
from fairway.accounts.web.shapes import ProblemView as ProblemView
from fairway.accounts.web.shapes import RefView as RefView
from fairway.accounts.web.shapes import decision_view as decision_view
from fairway.accounts.web.shapes import finding_view as finding_view
from fairway.accounts.web.shapes import plan_view as plan_view
from fairway.accounts.web.shapes import ref_view as ref_view
