"""Fifty customers who order without a pause, for those who trust their own tool: https://locust.io

    pip install locust
    cargo run --release -- --data-dir "$(mktemp -d)" &
    locust -f tests/load/locustfile.py --host http://127.0.0.1:8080 --headless --run-time 60s

Fifty users and ten products are the defaults; --users and --spawn-rate change the first, PRODUCTS the
second. Each product is stocked before the first order. Locust measures the POST; what becomes of the orders
afterwards, and whether the records agree, is what `ordermill-lab bench` tells.
"""

import itertools
import os
import random
import uuid

import requests
from locust import FastHttpUser, constant, events, task

PRODUCTS = int(os.environ.get("PRODUCTS", "10"))
# More units than a run of hours orders.
UNITS = 1_000_000_000
# One number a user: customers' names.
CUSTOMERS = itertools.count(1)
# No other run has products of these names.
RUN = uuid.uuid4().hex[:8]
SKUS = [f"LOCUST-{RUN}-{number}" for number in range(PRODUCTS)]


@events.init_command_line_parser.add_listener
def fifty_users(parser):
    parser.set_defaults(num_users=50, spawn_rate=50)


@events.test_start.add_listener
def stock(environment, **_):
    for sku in SKUS:
        answer = requests.post(
            f"{environment.host}/inventory",
            json={"product_id": sku, "available_qty": UNITS},
            timeout=30,
        )
        answer.raise_for_status()


class Customer(FastHttpUser):
    wait_time = constant(0)

    def on_start(self):
        self.customer = f"locust-{RUN}-{next(CUSTOMERS)}"

    @task
    def order(self):
        body = {
            "customer_id": self.customer,
            "payment_method": "credit_card",
            "items": [{"product_id": random.choice(SKUS), "quantity": 1, "unit_price": 9.99}],
        }
        with self.client.post("/orders", json=body, catch_response=True) as answer:
            if answer.status_code != 201:
                answer.failure(f"answered {answer.status_code}")
