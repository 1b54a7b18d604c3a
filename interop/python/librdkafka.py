"""Scenarios for librdkafka, through confluent-kafka. Arguments: scenario, bootstrap, topic, then its own. Ends with one JSON line."""
import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, ResourceType


def producer(bootstrap, **extra):
    return Producer({"bootstrap.servers": bootstrap, **extra})


def consumer(bootstrap, group, **extra):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest", **extra})


def read(source, count, seconds=20):
    """Up to `count` messages, or fewer when `seconds` are over."""
    messages, end = [], time.monotonic() + seconds
    while len(messages) < count and time.monotonic() < end:
        message = source.poll(0.2)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        messages.append(message)
    return messages


def roundtrip(bootstrap, topic, codec):
    """Idempotent writes with a codec, read back by a group: values, keys, headers, offsets."""
    delivered = []
    sender = producer(bootstrap, **{"enable.idempotence": True, "compression.type": codec, "linger.ms": 5})
    for i in range(1000):
        sender.produce(topic, key=f"k{i}", value=f"value {i} " + "z" * (i % 200), headers={"n": str(i)},
                       on_delivery=lambda error, message: delivered.append(str(error) if error else message.offset()))
    sender.flush(20)
    reader = consumer(bootstrap, f"{topic}-group")
    reader.subscribe([topic])
    messages = read(reader, 1000)
    reader.commit(asynchronous=False)
    committed = sum(p.offset for p in reader.committed(reader.assignment()))
    reader.close()
    return {
        "delivered": sum(isinstance(d, int) for d in delivered),
        "errors": [d for d in delivered if not isinstance(d, int)][:3],
        "right": sum(m.value().decode().split(" ")[1] == m.key().decode()[1:] == dict(m.headers())["n"].decode() for m in messages),
        "committed": committed,
    }


def admin(bootstrap, topic):
    """Topics, partitions, configs, groups, offsets, records and the cluster through the admin client."""
    client = AdminClient({"bootstrap.servers": bootstrap})
    client.create_topics([NewTopic(topic, 2, 1, config={"retention.ms": "1000000"})])[topic].result(20)
    try:
        client.create_topics([NewTopic(topic, 2, 1)])[topic].result(20)
        twice = "created"
    except KafkaException as error:
        twice = error.args[0].name()
    client.create_partitions([NewPartitions(topic, 4)])[topic].result(20)
    resource = ConfigResource(ResourceType.TOPIC, topic)
    configs = client.describe_configs([resource])[resource].result(20)
    sender = producer(bootstrap)
    for i in range(8):
        sender.produce(topic, value=str(i), partition=i % 4)
    sender.flush(20)
    lows = client.delete_records([TopicPartition(topic, 0, 1)])
    low = [future.result(20).low_watermark for future in lows.values()][0]
    reader = consumer(bootstrap, f"{topic}-group")
    watermarks = reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    by_time = reader.offsets_for_times([TopicPartition(topic, 1, 0)], timeout=10)[0].offset
    reader.commit(offsets=[TopicPartition(topic, 1, 2)], asynchronous=False)
    listed = client.list_consumer_groups().result(20)
    described = client.describe_consumer_groups([f"{topic}-group"])[f"{topic}-group"].result(20)
    reader.close()
    cluster = client.describe_cluster().result(20)
    partitions = len(client.list_topics(topic, timeout=10).topics[topic].partitions)
    client.delete_consumer_groups([f"{topic}-group"])[f"{topic}-group"].result(20)
    client.delete_topics([topic])[topic].result(20)
    return {
        "twice": twice, "partitions": partitions, "retention": configs["retention.ms"].value, "low": low,
        "watermarks": list(watermarks), "byTime": by_time, "state": described.state.name,
        "listed": f"{topic}-group" in [g.group_id for g in listed.valid], "nodes": len(cluster.nodes),
    }


def member(bootstrap, topic, group, assignor):
    """A group member that says what it is assigned and reads until its standard input ends; "consumer" is KIP-848."""
    import threading

    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    classic = {"partition.assignment.strategy": assignor, "session.timeout.ms": 10000}
    reader = consumer(bootstrap, group, **({"group.protocol": "consumer"} if assignor == "consumer" else classic))

    owned = set()

    def tell():
        print("assigned " + " ".join(str(p) for p in sorted(owned)), flush=True)

    def assigned(_consumer, partitions):
        # A cooperative member is told only what is new.
        owned.update(x.partition for x in partitions)
        tell()

    def revoked(_consumer, partitions):
        owned.difference_update(x.partition for x in partitions)
        if assignor in ("cooperative-sticky", "consumer"):
            tell()

    reader.subscribe([topic], on_assign=assigned, on_revoke=revoked, on_lost=revoked)
    while not done.is_set():
        message = reader.poll(0.1)
        if message is not None and not message.error():
            print(f"record {message.partition()} {message.offset()} {message.value().decode()}", flush=True)
    reader.close()
    return {"closed": True}


def seek(bootstrap, topic):
    """Assignment without a group: read from an offset, pause, and the error of an offset that is out of range."""
    sender = producer(bootstrap)
    for i in range(20):
        sender.produce(topic, value=str(i), partition=0)
    sender.flush(20)
    reader = consumer(bootstrap, "nobody", **{"enable.partition.eof": False, "auto.offset.reset": "error", "enable.auto.commit": False})
    reader.assign([TopicPartition(topic, 0, 15)])
    values = [m.value().decode() for m in read(reader, 5)]
    reader.assign([TopicPartition(topic, 0, 99)])
    error = None
    end = time.monotonic() + 10
    while error is None and time.monotonic() < end:
        message = reader.poll(0.2)
        if message is not None and message.error():
            error = message.error().name()
    reader.close()
    return {"values": values, "error": error}


def transactions(bootstrap, topic):
    """Transactions that read, write and commit offsets together, some aborted; then a second producer fences the first."""
    source = f"{topic}-source"
    client = AdminClient({"bootstrap.servers": bootstrap})
    for name in (topic, source):
        client.create_topics([NewTopic(name, 2, 1)])[name].result(20)
    plain = producer(bootstrap)
    for i in range(100):
        plain.produce(source, value=str(i), partition=i % 2)
    plain.flush(20)
    reader = consumer(bootstrap, f"{topic}-group", **{"enable.auto.commit": False, "isolation.level": "read_committed"})
    reader.subscribe([source])
    sender = producer(bootstrap, **{"transactional.id": topic})
    sender.init_transactions(20)
    copied, round_number = 0, 0
    while copied < 100:
        batch = read(reader, 10)
        sender.begin_transaction()
        for message in batch:
            sender.produce(topic, value=message.value(), partition=message.partition())
        sender.send_offsets_to_transaction(reader.position(reader.assignment()), reader.consumer_group_metadata(), 20)
        round_number += 1
        if round_number % 3 == 0:
            sender.abort_transaction(20)
            for position in reader.committed(reader.assignment()):
                reader.seek(TopicPartition(source, position.partition, max(0, position.offset)))
        else:
            sender.commit_transaction(20)
            copied += len(batch)
    committed = sum(p.offset for p in reader.committed(reader.assignment()))
    reader.close()
    sender.begin_transaction()
    sender.produce(topic, value="of a zombie", partition=0)
    sender.flush(20)
    heir = producer(bootstrap, **{"transactional.id": topic})
    heir.init_transactions(20)
    try:
        sender.commit_transaction(20)
        fenced = "committed"
    except KafkaException as error:
        fenced = error.args[0].name()
    check = consumer(bootstrap, f"{topic}-check", **{"isolation.level": "read_committed"})
    check.subscribe([topic])
    values = sorted(int(m.value()) for m in read(check, 101, 6))
    check.close()
    return {"once": values == list(range(100)), "committed": committed, "fenced": fenced}


if __name__ == "__main__":
    scenario = {"roundtrip": roundtrip, "transactions": transactions, "admin": admin, "member": member, "seek": seek}[sys.argv[1]]
    print(json.dumps(scenario(*sys.argv[2:])))
