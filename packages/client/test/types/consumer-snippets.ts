import { connect, serde, topic } from '@ottla/client';

/** What a consumer hands out has the types that its topics declare; of several topics, the union. */
const ottla = connect();
const orders = topic('orders', { value: serde.json<{ total: number }>() });
const names = ['a', 'b'].map((name) => topic(name));

for await (const { key, value } of ottla.consumer(topic('text'))) {
  const texts: [string | null, string] = [key, value];
  console.log(texts);
}
for await (const { value } of ottla.consumer([topic('text'), orders], { group: 'billing' })) {
  const either: string | { total: number } = value;
  console.log(either);
}
for await (const { value } of ottla.consumer(names)) console.log(value.toUpperCase());
for await (const { value } of ottla.consumer(['a', 'b'])) console.log(value.toUpperCase());
for await (const { value } of ottla.consumer({ pattern: /^orders-/, value: serde.int32 })) {
  console.log(value.toFixed(2));
}
// @ts-expect-error -- total is a number
for await (const { value } of ottla.consumer(orders)) value.total.toUpperCase();

class CardExpired extends Error {}
const retrying = ottla.retryingConsumer(orders, { group: 'billing', exclude: [CardExpired, 'TypeError'] });
await retrying.each(
  ({ value }, { attempt }) => console.log(value.total.toFixed(attempt)),
  ({ value }, { origin, failure }) => console.log(value.total, origin.topic, failure?.message),
);
// @ts-expect-error -- total is a number
await retrying.each(({ value }) => value.total.toUpperCase());
// @ts-expect-error -- its own commits are what nothing is lost by
ottla.retryingConsumer(orders, { group: 'billing', commit: 'manual' });
ottla.consumer(orders, {
  interceptors: [
    { onConsume: (message) => message.with({ value: { total: 1 } }), onCommit: (offsets) => offsets.length },
  ],
});
const lag: number | null = ottla.consumer(orders).metrics().recordsLagMax;
console.log(lag);
