"""The people's door: one act by its name, with what was sent made exact.

Other records are named by id, by the id a CSV file knew them by, or by name (title, code, e-mail).
Times are RFC 3339 texts; `fields` maps a custom field's name or code to what a person would type.

    create_deal       title, org?, person?, owner?, value?, currency?, pipeline?, stage?,
                      status?, won_time?, fields?, lines?, discounts?, installments?
    edit_deal         deal, and any of the above (also as move_stage)
    win lose reopen   deal, won_time? | lost_time?, lost_reason?
    archive_deal unarchive_deal delete_deal     deal
    win_all           wins every open deal
    add_line          deal, product | name | code, price, quantity?, discount?, discount_type?,
                      tax?, tax_method?, enabled?, comments?, billing_frequency?
    edit_line         line (its id), and any of the above; disable_line, remove_line: line
    add_discount      deal, type (percentage | amount), amount, description?
    add_installments  deal, installments: [{amount, billing_date, description?}]
    edit_installment  deal, installment (its id), and any of these; remove_installment: both ids
    create_org        name, address?, owner?, website?, fields?      edit_org: org, ...
    create_person     name, org?, email(s)?, phone(s)?, owner?, fields?    edit_person: person, ...
    delete_org: org   delete_person: person   merge_orgs merge_persons merge_deals: loser, winner
    restore_org: org   restore_person: person     (by the id of what was deleted)
    create_product    name, code?, price?, currency?, tax?, unit?    edit_product: product, ...
    create_user       name, email?, admin?     deactivate_user: user
    create_field      name, kind? (deals), type? (varchar), options?
    rename_field      field, name, kind?       delete_field: field, kind?
    create_pipeline   name, stages
    regenerate_token  user?, token?            revoke_token: user?
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.pipedrive.company import Record
from syncjob.sandbox.pipedrive.people import DEAL_ACTS, Payload
from syncjob.sandbox.pipedrive.people_others import OTHER_ACTS
from syncjob.sandbox.pipedrive.wire import Refusal

if TYPE_CHECKING:
    from syncjob.sandbox.pipedrive.server import PipedriveServer

ACTS: dict[str, Callable[[Any, Payload], Record]] = {**DEAL_ACTS, **OTHER_ACTS}


def act(server: PipedriveServer, name: str, payload: Payload) -> Record:
    """Does one act; what cannot be done raises ActError with the reason."""
    doer = ACTS.get(name)
    if doer is None:
        raise ActError(f"no such act {name!r}; one of {', '.join(sorted(ACTS))}")
    try:
        with server.company.whole():
            return doer(server, exact(payload))
    except Refusal as refused:
        raise ActError(refused.error) from refused
    except KeyError as missing:
        raise ActError(f"{name}: needs {missing}") from missing


def exact(value: Any) -> Any:
    """JSON floats become decimals of the same digits."""
    if isinstance(value, dict):
        return {k: exact(v) for k, v in value.items()}
    if isinstance(value, list):
        return [exact(v) for v in value]
    return Decimal(str(value)) if isinstance(value, float) else value
