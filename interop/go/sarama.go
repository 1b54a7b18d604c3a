package main

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
)

// reader counts what a group member is handed, marks it and stops the session when all is there.
type reader struct {
	read   int
	cancel context.CancelFunc
}

func (r *reader) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (r *reader) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (r *reader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			session.MarkMessage(message, "")
			if r.read++; r.read == recordCount {
				session.Commit()
				r.cancel()
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

// saramaScenario writes idempotently, reads as a group member, commits, and asks the admin API.
func saramaScenario(bootstrap, topic, codec string) (*result, error) {
	codecs := map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
		"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	config.Producer.Compression = codecs[codec]
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	config.Producer.Return.Successes = true
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	admin, err := sarama.NewClusterAdmin([]string{bootstrap}, config)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if err := admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false); err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	out := &result{}
	messages := make([]*sarama.ProducerMessage, recordCount)
	for i := range messages {
		messages[i] = &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(fmt.Sprintf("value %d", i))}
	}
	if err := producer.SendMessages(messages); err != nil {
		return nil, fmt.Errorf("produce: %w", err)
	}
	out.Sent = len(messages)
	group, err := sarama.NewConsumerGroup([]string{bootstrap}, topic+"-group", config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	handler := &reader{cancel: cancel}
	if err := group.Consume(ctx, []string{topic}, handler); err != nil {
		return nil, fmt.Errorf("consume: %w", err)
	}
	out.Read = handler.read
	if err := group.Close(); err != nil {
		return nil, err
	}
	offsets, err := admin.ListConsumerGroupOffsets(topic+"-group", map[string][]int32{topic: {0}})
	if err != nil {
		return nil, fmt.Errorf("offsets: %w", err)
	}
	out.Committed = offsets.GetBlock(topic, 0).Offset
	groups, err := admin.ListConsumerGroups()
	if err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	_, out.Group = groups[topic+"-group"]
	return out, admin.DeleteTopic(topic)
}
