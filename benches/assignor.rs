//! What it takes to assign 10,000 partitions to 1,000 members, and how it grows: it should grow as
//! partitions plus members.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use klamm::base::ids::TopicPartition;
use klamm::base::uuid::Uuid;
use klamm::coordinator::group::assignor::{Assignor, MemberSpec, Spec, TopicSpec};
use klamm::protocol::string::Str;

fn main() {
    divan::main();
}

/// Members and partitions.
const SIZES: &[(usize, usize)] = &[
    (100, 1_000),
    (1_000, 10_000),
    (2_000, 20_000),
    (4_000, 40_000),
];

const TOPICS: usize = 10;

struct Group {
    ids: Vec<Str>,
    targets: Vec<Vec<TopicPartition>>,
    topics: Vec<TopicSpec>,
    subscriptions: Vec<Vec<usize>>,
}

impl Group {
    fn new((members, partitions): (usize, usize), subscriptions: Vec<Vec<usize>>) -> Group {
        let topics = (1_u8..).take(TOPICS).map(|number| TopicSpec {
            id: Uuid([number; 16]),
            partition_count: partitions / TOPICS,
            racks: Vec::new(),
        });
        Group {
            ids: (0..members)
                .map(|one| Str::from(format!("member-{one:05}")))
                .collect(),
            targets: vec![Vec::new(); members],
            topics: topics.collect(),
            subscriptions,
        }
    }

    fn same_topics(size: (usize, usize)) -> Group {
        Group::new(size, vec![(0..TOPICS).collect()])
    }

    fn different_topics(size: (usize, usize)) -> Group {
        let half = (0..TOPICS / 2).collect();
        let other = (TOPICS / 3..TOPICS).collect();
        Group::new(size, vec![(0..TOPICS).collect(), half, other])
    }

    fn spec(&self) -> Spec<'_> {
        let members = self.ids.iter().zip(&self.targets).enumerate();
        Spec {
            topics: self.topics.clone(),
            subscriptions: self.subscriptions.clone(),
            members: members
                .map(|(place, (id, target))| MemberSpec {
                    id,
                    instance_id: None,
                    rack: None,
                    subscription: place % self.subscriptions.len(),
                    target,
                })
                .collect(),
        }
    }

    /// All is assigned; then the first member goes, and another comes.
    fn changed(mut self, assignor: Assignor) -> Group {
        let targets = assignor.assign(&self.spec());
        self.targets = targets;
        self.targets[0] = Vec::new();
        self
    }
}

fn bench(bencher: Bencher<'_, '_>, group: &Group, assignor: Assignor) {
    let spec = group.spec();
    let partitions: usize = group.topics.iter().map(|topic| topic.partition_count).sum();
    bencher
        .counter(ItemsCount::new(partitions + group.ids.len()))
        .bench_local(|| assignor.assign(black_box(&spec)));
}

#[divan::bench(args = SIZES)]
fn uniform_first(bencher: Bencher<'_, '_>, size: &(usize, usize)) {
    bench(bencher, &Group::same_topics(*size), Assignor::Uniform);
}

#[divan::bench(args = SIZES)]
fn uniform_again(bencher: Bencher<'_, '_>, size: &(usize, usize)) {
    let group = Group::same_topics(*size).changed(Assignor::Uniform);
    bench(bencher, &group, Assignor::Uniform);
}

#[divan::bench(args = SIZES)]
fn uniform_different_topics_first(bencher: Bencher<'_, '_>, size: &(usize, usize)) {
    bench(bencher, &Group::different_topics(*size), Assignor::Uniform);
}

#[divan::bench(args = SIZES)]
fn uniform_different_topics_again(bencher: Bencher<'_, '_>, size: &(usize, usize)) {
    let group = Group::different_topics(*size).changed(Assignor::Uniform);
    bench(bencher, &group, Assignor::Uniform);
}

#[divan::bench(args = SIZES)]
fn range(bencher: Bencher<'_, '_>, size: &(usize, usize)) {
    bench(bencher, &Group::same_topics(*size), Assignor::Range);
}
