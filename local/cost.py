"""`make cost`: writes the tables of shared/docs/cost.md."""

import re
from collections.abc import Callable
from math import inf

from cost_model import INPUTS, Model, Stack
from stack.tools import ROOT

PAGE = ROOT / "shared" / "docs" / "cost.md"
RATES = (1, 100, 10_000)
"""Webhooks a second that the page tells of."""
ANSWERS_MS = (100, 1_000, 10_000)
"""Of endpoints from quick to hanging."""
SEEN = {"aws": "AWS", "others": "others", "nobody": "**not confirmed**"}


def table(head: list[str], rows: list[list[str]]) -> str:
    first, *others = (f"| {' | '.join(cells)} |" for cells in [head, *rows])
    return "\n".join([first, "|" + "---|" * len(head), *others])


def dollars(amount: float) -> str:
    if amount == 0:
        return "0"
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:.2f}" if amount >= 0.005 else "under 0.01"


def round_rate(rate: float) -> str:
    """Two figures: the inputs bear no more."""
    return f"{float(f'{rate:.2g}'):,.0f}"


def per_million() -> str:
    low, high = Model("low"), Model("high")
    parts = {case: model.by_traffic(100) for case, model in (("low", low), ("high", high))}
    millions = 100 * high.seconds / 1e6
    rows = [[part, *(dollars(costs[part] / millions) for costs in parts.values())] for part in parts["low"]]
    sums = [f"**{dollars(sum(costs.values()) / millions)}**" for costs in parts.values()]
    return table(["USD for a million webhooks", *parts], [*rows, ["**all**", *sums]])


def by_month() -> str:
    low, high = Model("low"), Model("high")
    months = [high.month(rate) for rate in RATES]
    rows = [[part, *(dollars(month[part]) for month in months)] for part in months[0]]
    totals = [sum(month.values()) for month in months]
    rows.append(["**all, high**", *(f"**{dollars(total)}**" for total in totals)])
    rows.append(["all, low", *(dollars(sum(low.month(rate).values())) for rate in RATES)])
    million = [total / (rate * high.seconds / 1e6) for total, rate in zip(totals, RATES, strict=True)]
    rows.append(["high, for a million webhooks", *map(dollars, million)])
    return table(["USD a month at webhooks a second", *(f"{rate:,}" for rate in RATES)], rows)


def idle() -> str:
    parts = Model("high").idle()
    rows = [[part, dollars(cost)] for part, cost in parts.items()]
    return table(["idle", "USD a month"], [*rows, ["**all**", f"**{dollars(sum(parts.values()))}**"]])


def durations() -> str:
    models = [Model("low"), Model("high")]
    steps = {
        "receiver": ("webhook-receiver", "SQS"),
        "dispatch": ("message-router, dispatch", "SQS"),
        "delivery": ("message-router, delivery", "the endpoint's answer, the event log"),
    }
    rows = []
    for step, (name, waits) in steps.items():
        billed = [f"{getattr(model, f'{step}_s') * 1000:.0f}" for model in models]
        rows.append([name, f"{models[0].measured[f'{step}_ms']:.2f}", waits, *billed])
    return table(["warm invocation", "processor, ms, measured", "waits for", "billed ms, low", "billed ms, high"], rows)


def sizes() -> str:
    model = Model("high")
    measured = model.measured
    rows = [
        ["line of the receiver, with its metrics", measured["receiver_line"], "measured"],
        ["line of the dispatch, with its metrics", measured["dispatch_line"], "measured"],
        ["entry of the event log, with its metrics", measured["event_log_entry"], "measured"],
        ["message on the event queue", measured["queue_message"], "measured"],
        ["request to the endpoint, head and body", measured["delivery_request"], "measured"],
        [
            "all lines, those of Lambda and API Gateway too, as they are charged",
            round(model.vended_bytes()),
            "reckoned",
        ],
    ]
    return table(["one webhook", "bytes", ""], [[name, f"{size:,}", how] for name, size, how in rows])


def prices() -> str:
    def told(price: dict) -> str:
        return ", then ".join(unit_price(tier[-1]) for tier in price["tiers"])

    place = INPUTS["place"]
    return sourced("price", f"USD, {place['region']}, {place['prices_of']}", told)


def quotas() -> str:
    return sourced("quota", "default", lambda quota: f"{quota['value']:,}")


def sourced(kind: str, heading: str, told: Callable[[dict], str]) -> str:
    """Inputs that somebody else has to say, with where they do."""
    rows = [
        [f"`{name}`", told(said), said["about"], f"[{host(said['source'])}]({said['source']})", SEEN[said["seen"]]]
        for name, said in INPUTS[kind].items()
    ]
    return table([kind, heading, "of", "source", "seen with"], rows)


def unit_price(price: float) -> str:
    return f"{price * 1e6:g} a million" if 0 < price < 0.001 else f"{price:g}"


def host(url: str) -> str:
    return re.sub(r"^https://([^/]+)/.*", r"\1", url)


def limits() -> str:
    """Lowest first."""
    model, low = Model("high"), Model("low").limits()
    facts = {name: f"{value:,}" for name, value in (vars(model.stack) | model.quota).items()}
    facts |= {"router_ms": f"{model.router_s * 1000:.0f}", "left": f"{model.left_to_receivers:,}"}
    rows = []
    for name, rate in sorted(model.limits().items(), key=lambda item: item[1]):
        first, second = round_rate(rate), round_rate(low[name])
        texts = [text.format(**facts) for text in INPUTS["limit"][name].values()]
        rows.append([first if first == second else f"{first} to {second}", *texts])
    return table(["webhooks a second", "limit", "what then becomes of a webhook", "what to do"], rows)


def slow() -> str:
    rows = []
    for answer_ms in ANSWERS_MS:
        model = Model("high")
        model.assumed["answer_ms"] = answer_ms
        million = model.cost("lambda_gb_second", 1e6 * (model.receiver_s + model.router_s) * model.stack.memory_gb)
        met = [round_rate(model.limits()[name]) for name in ("concurrency", "concurrency_most")]
        rows.append([f"{answer_ms:,} ms", dollars(million), *met])
    stack, quota = Stack.of_template(), INPUTS["quota"]["event_source_concurrency"]["value"]
    most = [f"webhooks a second with `MaximumConcurrency` {value:,}" for value in (stack.concurrency, quota)]
    return table(["the endpoint answers in", "GB-seconds, USD for a million webhooks", *most], rows)


def cases() -> str:
    low, high = (INPUTS["assumed"][case] for case in ("low", "high"))
    names = {
        "processor_share": "of a core, while a function works",
        "aws_call_ms": "ms, a call of SQS or CloudWatch Logs",
        "answer_ms": "ms, the endpoint's answer",
        "traces_a_webhook": "traces, of a webhook that X-Ray samples",
    }
    return table(["", "low", "high"], [[text, str(low[name]), str(high[name])] for name, text in names.items()])


def outages() -> str:
    model = Model("high")
    after = [span(model.outage_s(rate)) for rate in RATES]
    head = ["entities a second whose delivery fails", *(f"{rate:,}" for rate in RATES)]
    return table(head, [[f"{model.quota['sqs_in_flight']:,} wait after", *after]])


def span(seconds: float) -> str:
    if seconds == inf:
        return "never: parked before"
    return f"{seconds / 60:,.0f} minutes" if seconds >= 120 else f"{seconds:,.0f} s"


TABLES = {
    "per-million": per_million,
    "by-month": by_month,
    "cases": cases,
    "slow": slow,
    "idle": idle,
    "durations": durations,
    "sizes": sizes,
    "limits": limits,
    "outages": outages,
    "prices": prices,
    "quotas": quotas,
}


def written(page: str) -> str:
    """The page with every table anew; what stands between them is people's."""
    for name, make in TABLES.items():
        begin, end = f"<!-- {name} -->", "<!-- end -->"
        before, found, rest = page.partition(begin)
        if not found:
            raise SystemExit(f"{PAGE.name} has no {begin}")
        page = f"{before}{begin}\n\n{make()}\n\n{end}{rest.split(end, 1)[1]}"
    return page


def main() -> None:
    PAGE.write_text(written(PAGE.read_text()))


if __name__ == "__main__":
    main()
