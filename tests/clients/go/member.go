package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// owned are the partitions that a member has, printed at each change.
type owned struct {
	sync.Mutex
	partitions map[int32]bool
}

func (o *owned) change(lists map[string][]int32, has bool) {
	o.Lock()
	defer o.Unlock()
	for _, partitions := range lists {
		for _, partition := range partitions {
			if has {
				o.partitions[partition] = true
			} else {
				delete(o.partitions, partition)
			}
		}
	}
	var words []string
	for _, partition := range slices.Sorted(maps.Keys(o.partitions)) {
		words = append(words, strconv.Itoa(int(partition)))
	}
	fmt.Println("assigned", strings.Join(words, ","))
}

// member is franz-go in a group. The contract stands in tests/broker/member.rs.
func member(arguments []string) {
	bootstrap, group, topic := arguments[0], arguments[1], arguments[2]
	mine := owned{partitions: map[int32]bool{}}
	assigned := func(_ context.Context, _ *kgo.Client, lists map[string][]int32) { mine.change(lists, true) }
	lost := func(_ context.Context, _ *kgo.Client, lists map[string][]int32) { mine.change(lists, false) }
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(6 * time.Second),
		kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.OnPartitionsAssigned(assigned),
		kgo.OnPartitionsRevoked(lost),
		kgo.OnPartitionsLost(lost),
	}
	if slices.Contains(arguments[3:], "protocol=consumer") {
		options = append(options, kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.ServerSideBalancer())
	}
	client, err := kgo.NewClient(options...)
	check(err)
	closing, stop := context.WithCancel(context.Background())
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			if lines.Text() == "close" {
				stop()
			}
		}
	}()
	for closing.Err() == nil {
		fetches := client.PollFetches(closing)
		fetches.EachRecord(func(record *kgo.Record) {
			// A rebalance may come between: then whoever has the partition now reads it again.
			if client.CommitRecords(context.Background(), record) == nil {
				fmt.Println("record", record.Partition, record.Offset, string(record.Value))
			}
		})
	}
	client.LeaveGroup()
	client.Close()
}
