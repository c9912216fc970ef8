// A shop's checkout in TypeScript, on types that are generated from openapi/ordermill.json. It stocks a
// product, places an order in each form, follows both, and ends with 0 if all went as the types say.
//
//   node build/client.js http://127.0.0.1:8080

import createClient from "openapi-fetch";
import type { components, paths } from "./ordermill.js";

type Schemas = components["schemas"];
type OrderStatus = Schemas["OrderStatus"];
type HistoryView = Schemas["HistoryView"];

declare const process: { argv: string[]; exitCode: number };

const url = process.argv[2] ?? "http://127.0.0.1:8080";
const client = createClient<paths>({ baseUrl: url });

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** An order of products. Prices may be numbers or decimal strings. */
const ofItems: Schemas["NewOrder"] = {
  customer_id: "anna",
  items: [
    { product_id: "MUG", quantity: 2, unit_price: 49.9 },
    { product_id: 1001, quantity: 1, unit_price: "12.50" },
  ],
  address: { name: "Anna O’Neill", city: "York" },
  priority: "express",
};

/** The short form: it names no payment method. */
const ofOneProduct: Schemas["NewOrder"] = {
  user_id: 42,
  product_id: "MUG",
  quantity: 2,
  total_amount: 99.8,
};

// What a client must not be able to write. Each line below is an error that the compiler has to find.

// @ts-expect-error: not a status
const misspelt: OrderStatus = "CONFIRMD";
// @ts-expect-error: the type of an answer has no such status either
const isMisspelt = (order: Schemas["OrderView"]) => order.status === "CONFIRMD";
// @ts-expect-error: an order needs a buyer and products
const empty: Schemas["NewOrder"] = {};
// @ts-expect-error: the short form needs a quantity
const withoutQuantity: Schemas["NewOrder"] = { user_id: 42, product_id: "MUG", total_amount: 1 };
// @ts-expect-error: not a priority
const hurried: Schemas["NewOrder"] = { ...ofItems, priority: "now" };
// @ts-expect-error: not a status to look for
const lookup = () => client.GET("/orders", { params: { query: { status: "CONFIRMD" } } });
void [misspelt, isMisspelt, empty, withoutQuantity, hurried, lookup];

async function stock(product_id: string | number): Promise<void> {
  const { data, error } = await client.POST("/inventory", {
    body: { product_id, available_qty: 100 },
  });
  check(error === undefined, `stocking ${product_id}: ${error?.detail}`);
  check(data.on_hand === 100, "on_hand is what was stocked");
}

async function place(body: Schemas["NewOrder"]): Promise<string> {
  const { data, error, response } = await client.POST("/orders", {
    body,
    params: { header: { "Idempotency-Key": crypto.randomUUID() } },
  });
  check(error === undefined, `placing an order: ${error?.detail}`);
  check(response.headers.get("location") === `/orders/${data.order_id}`, "Location");
  check(data.status === "PENDING", data.status);
  return data.order_id;
}

/** Reads an order's events until the order is at its end; gives the names of the events. */
async function* follow(order_id: string): AsyncGenerator<{ name: string; row: HistoryView }> {
  const { data, error } = await client.GET("/orders/{order_id}/events", {
    params: { path: { order_id } },
    parseAs: "stream",
  });
  check(error === undefined && data != null, `following ${order_id}: ${error?.detail}`);
  const reader = data.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string) =>
        block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const [name, row] = [field("event"), field("data")];
      if (name !== undefined && row !== undefined) yield { name, row: JSON.parse(row) };
    }
  }
}

/** Takes an order from its acceptance to its delivery. */
async function deliver(order_id: string): Promise<void> {
  const heard = new Map<string, number>();
  for await (const { name, row } of follow(order_id)) {
    heard.set(name, (heard.get(name) ?? 0) + 1);
    check(/Z$/.test(row.at), row.at);
    if (name === "CONFIRMED") {
      const { data, error } = await client.POST("/orders/{order_id}/dispatch", {
        params: { path: { order_id } },
      });
      check(error === undefined, `dispatching: ${error?.detail}`);
      check(data.order_id === order_id, data.order_id);
    } else if (name === "SHIPPED") {
      await client.POST("/orders/{order_id}/delivery", { params: { path: { order_id } } });
    }
  }
  for (const status of ["PENDING", "CONFIRMED", "SHIPPED", "COMPLETED"] satisfies OrderStatus[]) {
    check(heard.get(status) === 1, `${status} was heard ${heard.get(status) ?? 0} times`);
  }
  const { data } = await client.GET("/orders/{order_id}", { params: { path: { order_id } } });
  check(data?.status === "COMPLETED", `the order is ${data?.status}`);
  check(data.payment?.status === "APPROVED", `the payment is ${data.payment?.status}`);
  check(typeof data.total_amount === "number", "amounts in answers are numbers");
}

async function main(): Promise<void> {
  await stock("MUG");
  await stock(1001);
  for (const order of [ofItems, ofOneProduct]) {
    await deliver(await place(order));
  }
  // What cannot be taken is a problem, with its fields.
  const { error } = await client.POST("/orders", { body: { ...ofOneProduct, quantity: 0 } });
  check(error?.status === 422, `status ${error?.status}`);
  check(error.errors?.[0]?.field === "quantity", JSON.stringify(error));
  const { data } = await client.GET("/orders", { params: { query: { status: "COMPLETED" } } });
  check(data?.orders.length === 2, `${data?.orders.length} orders are COMPLETED`);
  console.log("the client has placed and followed an order in each form");
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
