"""Scenario for aiokafka. Arguments: bootstrap, topic, codec. Ends with one JSON line."""
import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic


async def main(bootstrap, topic, codec):
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1)])
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True,
                                compression_type=None if codec == "none" else codec)
    await producer.start()
    sent = await asyncio.gather(*[
        await producer.send(topic, f"value {i}".encode(), key=str(i).encode(), headers=[("n", b"1")]) for i in range(300)])
    await producer.stop()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=f"{topic}-group", auto_offset_reset="earliest",
                                enable_auto_commit=False)
    await consumer.start()
    values = set()
    while len(values) < 300:
        batch = await asyncio.wait_for(consumer.getmany(timeout_ms=1000), 20)
        for messages in batch.values():
            values.update(m.value.decode() for m in messages)
    await consumer.commit()
    committed = 0
    for partition in (0, 1):
        committed += await consumer.committed(TopicPartition(topic, partition)) or 0
    await consumer.stop()
    topics = await admin.list_topics()
    groups = [group[0] for group in await admin.list_consumer_groups()]
    await admin.delete_topics([topic])
    await admin.close()
    print(json.dumps({"sent": len({(s.partition, s.offset) for s in sent}), "read": len(values), "committed": committed,
                      "topic": topic in topics, "group": f"{topic}-group" in groups}))


asyncio.run(main(*sys.argv[1:]))
