#!/usr/bin/env python3
"""Makes what an operator has to see, on a running server, and says when Prometheus shows it.

  faults.py URL PROMETHEUS_URL        a stuck saga, a slow gateway, a dead letter, refused requests, a restarted actor
  faults.py --order-for SECONDS URL   a customer who orders all the time, whatever is answered

The dead letter needs a server with ORDERMILL_SMS=log: its customer's phone number is none.
"""
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

SKU = f"OBSERVE-{os.getpid()}"
UNITS = 10_000
REST_S = 60
SHOWN_S = 60
ORDERS_SLOW = 5


def request(method, url, body=None, headers=None):
    """Status and JSON of an answer; status 0 when there is none."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    asked = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    except OSError:
        return 0, None
    try:
        return status, json.loads(text)
    except ValueError:
        return status, None


def expect(wanted, answer):
    status, body = answer
    if status not in wanted:
        sys.exit(f"faults: expected {wanted}, answered {status}: {body}")
    return body


def until(seconds, what, found):
    """Asks again until something is found; gives it and the seconds that took."""
    began = time.monotonic()
    while not (value := found()):
        if time.monotonic() - began > seconds:
            sys.exit(f"faults: no {what} within {seconds} s")
        time.sleep(0.2)
    return value, time.monotonic() - began


class Shop:
    def __init__(self, url):
        self.url = url
        expect([200, 201], request("POST", f"{url}/inventory", {"product_id": SKU, "available_qty": UNITS}))

    def try_to_place(self, method="credit_card", **more):
        items = [{"product_id": SKU, "quantity": 1, "unit_price": 9.90}]
        order = {"customer_id": "observer", "payment_method": method, "items": items, **more}
        return request("POST", f"{self.url}/orders", order)

    def place(self, method="credit_card", **more):
        return expect([201], self.try_to_place(method, **more))["order_id"]

    def until_status(self, order_id, status):
        look = lambda: expect([200], request("GET", f"{self.url}/orders/{order_id}"))["status"] == status
        return until(REST_S, f"order in the status {status}", look)


class Prometheus:
    def __init__(self, url):
        self.url = url

    def shows(self, what, query, since):
        """Waits until a query has a result, and prints when."""
        asked = f"{self.url}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        result, _ = until(SHOWN_S, what, lambda: expect([200], request("GET", asked))["data"]["result"])
        values = ", ".join(f"{dict(sample['metric'])} {sample['value'][1]}" for sample in result)
        print(f"{what}: shown after {time.monotonic() - since:.1f} s: {query} = {values}", flush=True)


def stuck_saga(shop, prometheus):
    """The gateway refuses every refund of this method: a cancelled order waits for a person."""
    order_id = shop.place("test_refund_by_hand")
    shop.until_status(order_id, "CONFIRMED")
    since = time.monotonic()
    expect([200, 202], request("POST", f"{shop.url}/orders/{order_id}/cancel", {}))
    prometheus.shows("stuck saga", 'max(ordermill_sagas{status="FAILED"}) > 0', since)
    prometheus.shows("payment that waits", 'max by (reason) (ordermill_payments_attention) > 0', since)


def unpaid_page(shop):
    """A customer who never pays at the gateway's page: a saga that stays under way."""
    shop.place("test_redirect")


def slow_gateway(shop, prometheus):
    """The gateway answers after two seconds."""
    since = time.monotonic()
    for _ in range(ORDERS_SLOW):
        shop.place("test_slow")
    buckets = "sum by (le, provider) (rate(ordermill_gateway_request_seconds_bucket[30s]))"
    prometheus.shows("slow gateway", f"histogram_quantile(0.99, {buckets}) > 1.5", since)


def dead_letters(shop, prometheus):
    """A text message to a number that is none fails four times: at its order's creation and at its end."""
    since = time.monotonic()
    shop.place(phone="call me")
    shop.place(phone="call me")
    prometheus.shows("dead letters", "max by (service, queue) (ordermill_dead_letters) > 0", since)
    letters = lambda: expect([200], request("GET", f"{shop.url}/admin/dead-letters?limit=200"))["dead_letters"]
    found, _ = until(REST_S, "second dead letter", lambda: letters()[1:] and letters())
    path = f"{shop.url}/admin/dead-letters"
    expect([200, 202], request("POST", f"{path}/{found[0]['id']}/redrive", {}))
    expect([200, 204], request("POST", f"{path}/{found[1]['id']}/discard", {"reason": "scripts/observe"}))


def refused_requests(shop):
    request("POST", f"{shop.url}/orders", b"{")
    request("GET", f"{shop.url}/orders/none")
    request("POST", f"{shop.url}/orders", b"{}", {"Origin": "http://elsewhere.example"})
    request("POST", f"{shop.url}/admin/actors/order%2Fjournal/restart", {})


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "--order-for":
        shop, end = Shop(arguments[2]), time.monotonic() + float(arguments[1])
        while time.monotonic() < end:
            shop.try_to_place()
            time.sleep(0.05)
    elif len(arguments) == 2:
        shop, prometheus = Shop(arguments[0]), Prometheus(arguments[1])
        stuck_saga(shop, prometheus)
        slow_gateway(shop, prometheus)
        unpaid_page(shop)
        refused_requests(shop)
        dead_letters(shop, prometheus)
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
