"""Settle, pull, fill, plan, guard, push, close: the only place that sees both sides, the state
and the rules."""
