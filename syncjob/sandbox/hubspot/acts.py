"""The people's door: one act by its name, with what was sent made exact.

Other records are named by id, by the id a CSV file knew them by, or by name (title, SKU, e-mail).
`fields` maps a property's label or name to what a person would choose.

    create_deal       title, org?, person?, owner?, value?, currency?, pipeline?, stage?, status?,
                      won_time?, fields?, lines?
    edit_deal         deal, and any of the above (also as move_stage)
    win lose reopen   deal, won_time? | lost_time?, lost_reason?
    delete_deal restore_deal    deal
    win_all           wins every open deal
    import_deals      fields? : changes every deal at once
    add_line          deal, product | name | code, price, quantity?, discount?, discount_type?
                      (percentage | amount off each unit), tax?, comments?, billing_frequency?,
                      billing_frequency_cycles?, pricing_model?, tier_ranges?, tier_prices?
    edit_line         line (its id), and any of the above; remove_line: line
    create_org        name, address?, owner?, website?, fields?      edit_org: org, ...
    create_person     name, org?, email(s)?, phone(s)?, owner?, fields?    edit_person: person, ...
    delete_org restore_org: org   delete_person restore_person: person
    merge_orgs merge_persons merge_deals: loser, winner   (a new id comes of both)
    associate         from_kind, from, to_kind, to, primary?
    create_product    name, code?, price?, tax?    edit_product: product, ...
    create_user       name, email?     deactivate_user: user
    create_field      name, kind? (deals), type? (varchar), options?, unique?
    rename_field      field, name, kind?       delete_field: field, kind?
    create_pipeline   name, stages (each a name, or {name, probability})
    add_stage         pipeline, name
    edit_stage        stage, name?, probability?
    create_tax_rate   percent, name?
    add_rule          kind?, required, when?, on? (any | create | update)    remove_rules
    regenerate_token  token?, scopes?   revoke_token   set_scopes: scopes? | without
    give_consent      redirect_uri, scopes?, code_challenge?    uninstall_app
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.hubspot.naming import Payload
from syncjob.sandbox.hubspot.people import DEAL_ACTS
from syncjob.sandbox.hubspot.people_account import ACCOUNT_ACTS
from syncjob.sandbox.hubspot.people_others import OTHER_ACTS
from syncjob.sandbox.hubspot.wire import Refusal
from syncjob.sandbox.kernel import ActError

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

ACTS: dict[str, Callable[[Any, Payload], Payload]] = {
    **DEAL_ACTS,
    **OTHER_ACTS,
    **ACCOUNT_ACTS,
}


def act(server: HubSpotServer, name: str, payload: Payload) -> Payload:
    """Does one act; what cannot be done raises ActError with the reason."""
    doer = ACTS.get(name)
    if doer is None:
        raise ActError(f"no such act {name!r}; one of {', '.join(sorted(ACTS))}")
    try:
        with server.store.whole():
            return doer(server, exact(payload))
    except Refusal as refused:
        raise ActError(refused.message) from refused
    except KeyError as missing:
        raise ActError(f"{name}: needs {missing}") from missing


def exact(value: Any) -> Any:
    """JSON floats become decimals of the same digits."""
    if isinstance(value, dict):
        return {k: exact(v) for k, v in value.items()}
    if isinstance(value, list):
        return [exact(v) for v in value]
    return Decimal(str(value)) if isinstance(value, float) else value
