"""Every page that a person can open: what the browser tests check and `python3 dev.py shots` takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """One page, by the path where it stands.

    A record has a key that nobody knows beforehand: `follow` is a CSS selector of links, and the first one
    that the page at `path` shows leads to the page meant.
    """

    name: str
    path: str
    follow: str = ""
    signed_in: bool = True
    status: int = 200


PAGES = (
    Page("sign-in", "/sign-in", signed_in=False),
    Page("home", "/"),
    Page("notifications", "/notifications?show=all"),
    Page("notification-settings", "/notifications/settings"),
    Page("search", "/search?q=pay"),
    Page("search-kind", "/search?q=ledger&kind=change&archived=true"),
    Page("search-none", "/search?q=there-is-nothing-so-called"),
    Page("me", "/me"),
    Page("delegations", "/me/delegations"),
    Page("calendar", "/calendar"),
    Page("calendar-environments", "/calendar?lanes=environment"),
    Page("calendar-organisations", "/calendar?lanes=organisation"),
    Page("calendar-people", "/calendar?lanes=person"),
    Page("calendar-feeds", "/calendar/feeds"),
    Page("calendar-subscriptions", "/calendar/subscriptions"),
    Page("conflicts", "/conflicts"),
    Page("conflict", "/conflicts?span=quarter", follow="main tbody a[href^='/conflicts/CHG-']"),
    Page("windows", "/windows"),
    Page("window", "/windows", follow="main tbody a[href^='/windows/WIN-']"),
    Page("window-new", "/windows/new"),
    Page("window-lockdown", "/windows?kind=lockdown", follow="main tbody a[href^='/windows/WIN-']"),
    Page("window-groups", "/windows?q=regression", follow="main tbody a[href^='/windows/WIN-']"),
    Page("working-calendars", "/working-calendars"),
    Page("working-calendar", "/working-calendars/uk-offices"),
    Page("working-calendar-new", "/working-calendars/new"),
    Page("changes", "/changes"),
    Page("changes-waiting", "/changes?tab=waiting"),
    Page("changes-columns", "/changes?columns=key,title,priority,owner,category,model,created_at"),
    Page("changes-none", "/changes?tab=all&q=there-is-no-such-change"),
    Page("change", "/changes", follow="main tbody a[href^='/changes/CHG-']"),
    Page("change-authorising", "/changes?state=authorising", follow="main tbody a[href^='/changes/CHG-']"),
    Page("change-closed", "/changes?tab=all&state=closed", follow="main tbody a[href^='/changes/CHG-']"),
    Page("change-slots", "/changes/CHG-131/slots"),
    Page("change-graph", "/changes/CHG-131/graph"),
    Page("change-pin", "/changes/CHG-131/pin?item=mobile-app-api"),
    Page("change-new", "/changes/new"),
    Page("waivers", "/waivers?tab=all"),
    Page("waivers-mine", "/waivers?tab=mine"),
    Page("waiver-quotas", "/waiver-quotas"),
    Page("waiver", "/waivers?tab=all", follow="main tbody a[href^='/waivers/WVR-']"),
    Page("environments", "/environments"),
    Page("environment", "/environments", follow="main tbody a[href^='/environments/']"),
    Page("environment-new", "/environments/new"),
    Page("environment-groups", "/environment-groups"),
    Page("environment-group", "/environment-groups/release-train"),
    Page("environment-group-new", "/environment-groups/new"),
    Page("environment-lanes", "/environments/uat"),
    Page("items", "/items"),
    Page("items-columns", "/items?columns=name,key,criticality,external_id,created_at"),
    Page("item", "/items", follow="main tbody a[href^='/items/']"),
    Page("item-history", "/history/item/core-ledger"),
    Page("item-then", "/history/item/core-ledger?at=2040-01-01T00:00"),
    Page("item-new", "/items/new"),
    Page("builds", "/builds"),
    Page("build", "/builds", follow="main tbody a[href^='/builds/BLD-']"),
    Page("build-new", "/builds/new"),
    Page("baselines", "/baselines"),
    Page("baseline", "/baselines", follow="main tbody a[href^='/baselines/BAS-']"),
    Page("drifts", "/drifts"),
    Page("drift", "/drifts", follow="main tbody a[href^='/drifts/DRF-']"),
    Page("item-fields", "/items/customer-master"),
    Page("item-edit", "/items/customer-master/edit"),
    Page("impact", "/items/core-ledger/impact"),
    Page("graph", "/items/core-ledger/graph"),
    Page("graph-needs", "/items/mobile-app-api/graph?direction=upstream"),
    Page("administration", "/administration"),
    Page("people", "/administration/people"),
    Page("person", "/administration/people", follow="main tbody a[href^='/administration/people/USR-']"),
    Page("invite", "/administration/people/invite"),
    Page("service-accounts", "/administration/service-accounts"),
    Page("service-account-new", "/administration/service-accounts/new"),
    Page("teams", "/administration/teams"),
    Page("team", "/administration/teams", follow="main tbody a[href^='/administration/teams/']"),
    Page("roles", "/administration/roles"),
    Page("role", "/administration/roles/catalogue-steward"),
    Page("role-new", "/administration/roles/new?from=approver"),
    Page("role-proposal", "/administration/roles", follow="main tbody a[href*='/proposals/']"),
    Page("organisations", "/administration/organisations"),
    Page("organisation", "/administration/organisations", follow="main tbody a[href^='/administration/org']"),
    Page("fields", "/administration/fields"),
    Page("fields-of-changes", "/administration/fields?subject=change"),
    Page("kinds", "/administration/kinds"),
    Page("kind-edit", "/administration/kinds/relations/depends-on/edit"),
    Page("field-new", "/administration/fields/new"),
    Page("limits", "/administration/limits"),
    Page("events", "/administration/events"),
    Page("jobs", "/administration/jobs"),
    Page("job", "/administration/jobs", follow="main tbody a[href^='/administration/jobs/JOB-']"),
    Page("webhooks", "/administration/webhooks"),
    Page("webhook", "/administration/webhooks", follow="main tbody a[href^='/administration/webhooks/']"),
    Page("webhook-new", "/administration/webhooks/new"),
    Page("imports", "/administration/imports"),
    Page("import", "/administration/imports", follow="main tbody a[href^='/administration/imports/']"),
    Page("catalogue-health", "/catalogue-health"),
    Page("shares", "/shares"),
    Page("api", "/api"),
    Page("api-resource", "/api/items"),
    Page("nowhere", "/no-such-page", status=404),
)

# Width and height of a phone, a laptop and a desk, in CSS pixels.
SIZES = {390: 844, 1366: 768, 1920: 1080}
SCHEMES = ("light", "dark")
