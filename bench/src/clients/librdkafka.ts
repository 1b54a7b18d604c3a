import { pathToFileURL } from 'node:url';
import type { Consumer, Producer } from 'kafkajs';

/** As much of @confluentinc/kafka-javascript as is used here; the types of the package are not there when we compile. */
export interface Librdkafka {
  readonly Producer: new (config: Readonly<Record<string, unknown>>) => LibrdkafkaProducer;
  /** Its promise API, made after that of kafkajs; only the options differ. */
  readonly KafkaJS: {
    readonly Kafka: new (config: object) => {
      consumer(config: object): Consumer;
      producer(config: object): Producer;
    };
    readonly logLevel: { readonly NOTHING: number };
  };
}

/** The producer of its callback API, which its documentation calls the one for high volumes. */
export interface LibrdkafkaProducer {
  connect(options: object, callback: (error: Error | null) => void): void;
  setPollInBackground(isSet: boolean): void;
  on(event: 'delivery-report', listener: (error: Error | null) => void): void;
  produce(topic: string, partition: null, value: Buffer, key: null): void;
  flush(timeoutMs: number, callback: (error: Error | null) => void): void;
  disconnect(callback: (error: Error | null) => void): void;
}

/** Loads the binding from where `nodeLibrdkafka` put it. */
export async function loadLibrdkafka(path: string | undefined): Promise<Librdkafka> {
  if (path === undefined) throw new Error('The plan does not say where the binding of librdkafka is');
  const module = (await import(pathToFileURL(path).href)) as { readonly default: Librdkafka };
  return module.default;
}

/** Turns a call that ends with a callback into a promise. */
export function called(call: (callback: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}
