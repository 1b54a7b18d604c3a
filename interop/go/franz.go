package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// franz writes idempotently with acks=all, reads as a group member, commits, and asks the admin API.
func franz(bootstrap, topic, codec string) (*result, error) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	group := topic + "-group"
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ProducerBatchCompression(codecs[codec]),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(ctx, 3, 1, nil, topic); err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	out := &result{}
	records := make([]*kgo.Record, recordCount)
	for i := range records {
		records[i] = &kgo.Record{Topic: topic, Key: []byte(fmt.Sprint(i)), Value: []byte(fmt.Sprintf("value %d", i)),
			Headers: []kgo.RecordHeader{{Key: "n", Value: []byte{byte(i)}}}}
	}
	for _, sent := range client.ProduceSync(ctx, records...) {
		if sent.Err != nil {
			return nil, fmt.Errorf("produce: %w", sent.Err)
		}
		out.Sent++
	}
	for out.Read < recordCount {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("fetch: %w", err)
		}
		out.Read += fetches.NumRecords()
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	offsets, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return nil, fmt.Errorf("offsets: %w", err)
	}
	offsets.Each(func(o kadm.OffsetResponse) { out.Committed += o.At })
	described, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return nil, fmt.Errorf("describe: %w", err)
	}
	out.Group = described[group].State == "Stable" && len(described[group].Members) == 1
	if _, err := admin.DeleteTopics(ctx, topic); err != nil {
		return nil, fmt.Errorf("delete: %w", err)
	}
	return out, nil
}
