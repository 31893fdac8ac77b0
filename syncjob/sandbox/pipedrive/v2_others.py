"""The v2 calls on persons, organizations, products, stages, pipelines and activities."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from syncjob.sandbox.pipedrive import activities, checks, contacts, schema
from syncjob.sandbox.pipedrive.company import Record
from syncjob.sandbox.pipedrive.routing import Answer, Call, Route, paged
from syncjob.sandbox.pipedrive.v2_deals import SORTS, within
from syncjob.sandbox.pipedrive.view import shown
from syncjob.sandbox.pipedrive.wire import invalid, not_found

_LINKS = ("owner_id", "org_id", "person_id", "pipeline_id", "lead_id", "done")
_ACTIVITY_SORTS = ("id", "update_time", "add_time", "due_date")
Handler = Callable[[Call], Answer]


def _matching(call: Call, kind: str) -> Iterator[Record]:
    """Deleted records are in no list; missing ids are left out without a word."""
    args = call.args
    loose = "filter_id" in args
    ids = None if loose or "ids" not in args else set(checks.ids(args["ids"], "ids"))
    wanted = {} if loose else {k: args[k] for k in _LINKS if k in args}
    people = _of_deal(call) if kind == "persons" and "deal_id" in args else None
    if kind == "activities" and "deal_id" in args:
        wanted["deal_id"] = args["deal_id"]
    since, until = args.get("updated_since"), args.get("updated_until")
    for record in call.company.listed(kind):
        if record["is_deleted"] or (ids is not None and record["id"] not in ids):
            continue
        if people is not None and record["id"] not in people:
            continue
        if within(record, since, until) and all(record[k] == v for k, v in wanted.items()):
            yield record


def _of_deal(call: Call) -> set[int]:
    deal = call.company.live("deals", call.args["deal_id"])
    return {deal["person_id"]} if deal is not None and deal["person_id"] is not None else set()


def _lister(kind: str, sorts: tuple[str, ...] = SORTS) -> Handler:
    return lambda call: paged(call, kind, _matching(call, kind), sorts)


def _getter(kind: str) -> Handler:
    def get(call: Call) -> Answer:
        record = call.company.get(kind, call.key)
        if record is None:
            raise not_found(contacts.SINGULAR[kind])
        return Answer(shown(call.company, kind, record, call.args))

    return get


def _creator(kind: str) -> Handler:
    def create(call: Call) -> Answer:
        made = contacts.create(call.company, kind, call.sent, call.user_id)
        return Answer(shown(call.company, kind, made), 201 if kind == "products" else 200)

    return create


def _editor(kind: str) -> Handler:
    def edit(call: Call) -> Answer:
        return Answer(
            shown(call.company, kind, contacts.edit(call.company, kind, call.key, call.sent))
        )

    return edit


def _deleter(kind: str) -> Handler:
    def delete(call: Call) -> Answer:
        return Answer({"id": contacts.delete(call.company, kind, call.key)["id"]})

    return delete


def _create_activity(call: Call) -> Answer:
    made = activities.create(call.company, call.sent, call.user_id)
    return Answer(shown(call.company, "activities", made))


def _edit_activity(call: Call) -> Answer:
    made = activities.edit(call.company, call.key, call.sent)
    return Answer(shown(call.company, "activities", made))


def _create_person(call: Call) -> Answer:
    if not any(call.sent.get(k) for k in ("name", "first_name", "last_name")):
        raise invalid("name", "Parameter 'name' is required")
    return _creator("persons")(call)


_ONE: schema.Types = schema.DEAL_ONE
ROUTES = (
    Route("GET", "persons", 10, _lister("persons"), schema.PERSON_LIST),
    Route("GET", "persons/#", 1, _getter("persons"), _ONE),
    Route("POST", "persons", 5, _create_person, body=schema.PERSON),
    Route("PATCH", "persons/#", 5, _editor("persons"), body=schema.PERSON),
    Route("DELETE", "persons/#", 3, _deleter("persons")),
    Route("GET", "organizations", 10, _lister("organizations"), schema.ORGANIZATION_LIST),
    Route("GET", "organizations/#", 1, _getter("organizations"), _ONE),
    Route(
        "POST", "organizations", 5, _creator("organizations"), {}, schema.ORGANIZATION, ("name",)
    ),
    Route("PATCH", "organizations/#", 5, _editor("organizations"), body=schema.ORGANIZATION),
    Route("DELETE", "organizations/#", 3, _deleter("organizations")),
    Route("GET", "products", 10, _lister("products", (*SORTS, "name")), schema.PRODUCT_LIST),
    Route("GET", "products/#", 1, _getter("products")),
    Route("POST", "products", 5, _creator("products"), {}, schema.PRODUCT, ("name",)),
    Route("PATCH", "products/#", 5, _editor("products"), body=schema.PRODUCT),
    Route("DELETE", "products/#", 3, _deleter("products")),
    Route("GET", "stages", 5, _lister("stages", (*SORTS, "order_nr")), schema.STAGE_LIST),
    Route("GET", "stages/#", 1, _getter("stages")),
    Route("GET", "pipelines", 5, _lister("pipelines"), schema.ROWS_OF_DEAL),
    Route("GET", "pipelines/#", 1, _getter("pipelines")),
    Route("GET", "activities", 10, _lister("activities", _ACTIVITY_SORTS), schema.ACTIVITY_LIST),
    Route("GET", "activities/#", 1, _getter("activities"), {"include_fields": "csv"}),
    Route("POST", "activities", 5, _create_activity, body=schema.ACTIVITY),
    Route("PATCH", "activities/#", 5, _edit_activity, body=schema.ACTIVITY),
    Route("DELETE", "activities/#", 3, _deleter("activities")),
)
