package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// franzTransactions copies a topic in transactions that commit their offsets, aborts every third of them, and reads the
// copy with read_committed: every record has to be there once.
func franzTransactions(bootstrap, topic, _ string) (*result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	source, group := topic+"-source", topic+"-group"
	plain, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	admin := kadm.NewClient(plain)
	for _, name := range []string{source, topic} {
		if _, err := admin.CreateTopic(ctx, 2, 1, nil, name); err != nil {
			return nil, fmt.Errorf("create: %w", err)
		}
	}
	records := make([]*kgo.Record, recordCount)
	for i := range records {
		records[i] = &kgo.Record{Topic: source, Key: []byte(fmt.Sprint(i)), Value: []byte(fmt.Sprint(i))}
	}
	if err := plain.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return nil, fmt.Errorf("produce: %w", err)
	}
	out := &result{}
	if out.Sent, err = copyInTransactions(ctx, bootstrap, source, topic, group); err != nil {
		return nil, err
	}
	values, err := readCommitted(ctx, bootstrap, topic)
	if err != nil {
		return nil, err
	}
	out.Read = values
	offsets, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return nil, fmt.Errorf("offsets: %w", err)
	}
	offsets.Each(func(o kadm.OffsetResponse) { out.Committed += o.At })
	described, err := admin.DescribeGroups(ctx, group)
	if err != nil {
		return nil, fmt.Errorf("describe: %w", err)
	}
	out.Group = described[group].Err == nil
	return out, nil
}

func copyInTransactions(ctx context.Context, bootstrap, source, topic, group string) (int, error) {
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.TransactionalID(topic),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(source), kgo.RequireStableFetchOffsets(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer session.Close()
	copied := 0
	for round := 1; copied < recordCount; round++ {
		fetches := session.PollRecords(ctx, 50)
		if err := fetches.Err(); err != nil {
			return copied, fmt.Errorf("fetch: %w", err)
		}
		if err := session.Begin(); err != nil {
			return copied, fmt.Errorf("begin: %w", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			session.Produce(ctx, &kgo.Record{Topic: topic, Key: r.Key, Value: r.Value}, nil)
		})
		committed, err := session.End(ctx, kgo.TransactionEndTry(round%3 != 0))
		if err != nil {
			return copied, fmt.Errorf("end: %w", err)
		}
		if committed {
			copied += fetches.NumRecords()
		}
	}
	return copied, nil
}

// readCommitted counts the different records of a topic, and fails when one of them comes twice.
func readCommitted(ctx context.Context, bootstrap, topic string) (int, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	seen := map[string]bool{}
	for len(seen) < recordCount {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return len(seen), fmt.Errorf("read: %w", err)
		}
		for _, r := range fetches.Records() {
			if seen[string(r.Value)] {
				return len(seen), fmt.Errorf("record %s came twice", r.Value)
			}
			seen[string(r.Value)] = true
		}
	}
	return len(seen), nil
}
