"""Nothing to do costs one call for each list that HubSpot and Xero are polled for."""

from __future__ import annotations

import re
from collections import Counter

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import billed, minutes, sell


def test_a_batch_with_nothing_to_do_asks_each_list_once(make_world: MakeWorld) -> None:
    w = make_world(crm="hubspot", crm_options={"index_lag_max_s": 20})
    billed(w)
    for _ in range(3):  # until the lookback lies behind what was written
        minutes(w, 20)
        w.run()
    minutes(w, 5)
    mark = w.mark()
    assert w.run().exit_code == 0
    asked = Counter(re.sub(r"/20\d\d-\d\d", "", c["path"]) for c in w.since(mark))
    assert asked == {
        "/hubspot/crm/objects/deals/search": 1,
        "/hubspot/crm/objects/line_items/search": 1,
        "/xero/api.xro/2.0/Contacts": 1,
        "/xero/api.xro/2.0/Invoices": 1,
    }
    minutes(w, 5)
    sell(w, title="the next")
    mark = w.mark()
    w.run()
    assert len(w.since(mark)) <= 16, [c["path"] for c in w.since(mark)]
