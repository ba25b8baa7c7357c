//! The assignors held against Apache's own (`tests/java/assignors/Assignors.java`) on the same groups,
//! made at random. `range` gives everybody the same partitions. `uniform` gives everybody as many:
//! where all want the same, the same numbers, and where they do not, numbers at least as even; and it
//! takes away no more than Apache's does. Which partitions it gives differs: it looks at racks, and
//! Apache's does not.
//!
//! The jars are those of `tests/java/tools/pom.xml`, which `cargo dev install` (and `cargo dev test`) brings into
//! `$KLAMM_CACHE/java/tools/jars` (`.cache/java/tools/jars`). Without them the test fails, and says so.

#![expect(
    clippy::disallowed_methods,
    reason = "a thread writes to Java while this one reads from it"
)]

use klamm::base::ids::{PartitionIndex, TopicId, TopicPartition};
use klamm::base::prng::Prng;
use klamm::base::uuid::Uuid;
use klamm::coordinator::group::assignor::{Assignor, MemberSpec, Spec, TopicSpec};
use klamm::protocol::string::Str;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const GROUPS: usize = 2_000;
const TOPICS_MAX: u64 = 5;
const PARTITIONS_MAX: u64 = 12;
const MEMBERS_MAX: u64 = 9;

/// The topics that a member wants, and what it had.
type Wanting = (Vec<usize>, Vec<(usize, usize)>);

/// A group: partitions of each topic, and its members.
struct Group {
    counts: Vec<usize>,
    members: Vec<Wanting>,
}

/// What each member has: topic and partition, sorted.
type Shares = Vec<Vec<(usize, usize)>>;

impl Group {
    fn random(prng: &mut Prng) -> Group {
        let topics = 1 + prng.below(TOPICS_MAX);
        let counts: Vec<usize> = (0..topics)
            .map(|_| 1 + usize::try_from(prng.below(PARTITIONS_MAX)).expect("few"))
            .collect();
        let wants_same = prng.one_in(2);
        let all: Vec<usize> = (0..counts.len()).collect();
        let count = 1 + prng.below(MEMBERS_MAX);
        let mut members: Vec<Wanting> = (0..count)
            .map(|_| {
                let mut wanted = all.clone();
                if !wants_same {
                    wanted.retain(|_| !prng.one_in(3));
                }
                (wanted, Vec::new())
            })
            .collect();
        // What they had: nothing, or any part of it with anybody, also with who no longer wants it.
        if !prng.one_in(3) {
            for (topic, count) in counts.iter().enumerate() {
                for partition in 0..*count {
                    if !prng.one_in(4) {
                        let owner = prng.index(members.len());
                        members[owner].1.push((topic, partition));
                    }
                }
            }
        }
        Group { counts, members }
    }

    fn line(&self, assignor: Assignor) -> String {
        let list = |numbers: &[usize]| {
            let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            words.join(",")
        };
        let mut line = format!("{} {}", assignor.name(), list(&self.counts));
        for (wanted, had) in &self.members {
            line += &format!(" {}/{}", list(wanted), pairs(had));
        }
        line
    }

    fn ask_klamm(&self, assignor: Assignor) -> Shares {
        let ids: Vec<Str> = (0..self.members.len())
            .map(|place| format!("member-{place:03}").into())
            .collect();
        let mut subscriptions: Vec<Vec<usize>> = Vec::new();
        let mut place_of = BTreeMap::new();
        for (wanted, _) in &self.members {
            place_of.entry(wanted.clone()).or_insert_with(|| {
                subscriptions.push(wanted.clone());
                subscriptions.len() - 1
            });
        }
        let targets: Vec<Vec<TopicPartition>> = self
            .members
            .iter()
            .map(|(_, had)| {
                had.iter()
                    .map(|&(topic, one)| partition(topic, one))
                    .collect()
            })
            .collect();
        let spec = Spec {
            topics: self
                .counts
                .iter()
                .enumerate()
                .map(|(topic, &partition_count)| TopicSpec {
                    id: topic_id(topic),
                    partition_count,
                    racks: Vec::new(),
                })
                .collect(),
            subscriptions,
            members: self
                .members
                .iter()
                .enumerate()
                .map(|(place, (wanted, _))| MemberSpec {
                    id: &ids[place],
                    instance_id: None,
                    rack: None,
                    subscription: place_of[wanted],
                    target: &targets[place],
                })
                .collect(),
        };
        let shares = assignor.assign(&spec);
        let numbers = shares.into_iter().map(|share| {
            let share = share.into_iter().map(|one| {
                let topic = usize::from(one.topic_id.0[15]) - 1;
                (
                    topic,
                    usize::try_from(one.partition.0).expect("not negative"),
                )
            });
            share.collect()
        });
        numbers.collect()
    }

    /// Every partition that somebody wants is with one who wants it.
    fn check(&self, shares: &Shares) -> Result<(), String> {
        let mut owners = BTreeMap::new();
        for (place, share) in shares.iter().enumerate() {
            for one in share {
                if !self.members[place].0.contains(&one.0) {
                    return Err(format!("{place} does not want {one:?}"));
                }
                if owners.insert(*one, place).is_some() {
                    return Err(format!("two have {one:?}"));
                }
            }
        }
        let wanted = (0..self.counts.len()).filter(|topic| {
            let mut members = self.members.iter();
            members.any(|(wanted, _)| wanted.contains(topic))
        });
        let count: usize = wanted.map(|topic| self.counts[topic]).sum();
        if owners.len() == count {
            Ok(())
        } else {
            Err(format!("{} of {count} are given", owners.len()))
        }
    }

    /// How many partitions stay where they were.
    fn kept(&self, shares: &Shares) -> usize {
        let members = self.members.iter().zip(shares);
        members
            .map(|((_, had), share)| had.iter().filter(|one| share.contains(one)).count())
            .sum()
    }

    fn wants_same(&self) -> bool {
        let mut members = self.members.iter();
        members.all(|(wanted, _)| *wanted == self.members[0].0)
    }
}

fn topic_id(topic: usize) -> TopicId {
    let mut id = [0; 16];
    id[15] = u8::try_from(topic + 1).expect("few");
    Uuid(id)
}

fn partition(topic: usize, number: usize) -> TopicPartition {
    TopicPartition {
        topic_id: topic_id(topic),
        partition: PartitionIndex(i32::try_from(number).expect("few")),
    }
}

fn pairs(list: &[(usize, usize)]) -> String {
    let words: Vec<String> = list
        .iter()
        .map(|(topic, partition)| format!("{topic}-{partition}"))
        .collect();
    words.join(",")
}

fn read(line: &str) -> Shares {
    line.split(' ')
        .map(|share| {
            let words = share.split(',').filter(|word| !word.is_empty());
            let pairs = words.map(|word| {
                let (topic, partition) = word.split_once('-').expect("a topic and a partition");
                let number = |word: &str| word.parse::<usize>().expect("a number");
                (number(topic), number(partition))
            });
            pairs.collect()
        })
        .collect()
}

fn ask_apache(lines: &[String]) -> Vec<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let cache = std::env::var_os("KLAMM_CACHE").map_or(root.join(".cache"), PathBuf::from);
    let jars = cache.join("java/tools/jars");
    let is_installed = std::fs::read_dir(&jars).is_ok_and(|entries| {
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.any(|name| {
            name.to_string_lossy()
                .starts_with("kafka-group-coordinator-")
        })
    });
    assert!(
        is_installed,
        "Apache's classes are not in {}: `cargo dev install` brings them",
        jars.display()
    );
    let mut process = Command::new("java")
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-cp"])
        .arg(jars.join("*"))
        .arg(root.join("tests/java/assignors/Assignors.java"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("java runs: install a JDK of 17 or later");
    let mut input = process.stdin.take().expect("piped");
    let text = lines.join("\n") + "\n";
    // Java answers while it reads: who only writes would wait for who only writes.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = process.wait_with_output().expect("java ends");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "java ended badly: {complaint}");
    writer
        .join()
        .expect("no panic")
        .expect("java reads everything");
    let answers = String::from_utf8(output.stdout).expect("java writes text");
    answers.lines().map(str::to_owned).collect()
}

fn loads(shares: &Shares) -> Vec<usize> {
    let mut loads: Vec<usize> = shares.iter().map(Vec::len).collect();
    loads.sort_unstable();
    loads
}

#[test]
fn groups_are_shared_out_as_apache_shares_them() {
    let mut prng = Prng::new(848);
    let groups: Vec<Group> = (0..GROUPS).map(|_| Group::random(&mut prng)).collect();
    let asked: Vec<(Assignor, &Group)> = groups
        .iter()
        .flat_map(|group| [(Assignor::Uniform, group), (Assignor::Range, group)])
        .collect();
    let lines: Vec<String> = asked
        .iter()
        .map(|(assignor, group)| group.line(*assignor))
        .collect();
    let answers = ask_apache(&lines);
    assert_eq!(answers.len(), lines.len(), "one answer a line");

    let (mut kept_by_apache, mut kept_by_klamm, mut more_even) = (0, 0, 0);
    for (((assignor, group), line), answer) in asked.iter().zip(&lines).zip(&answers) {
        let apache = read(answer);
        let klamm = group.ask_klamm(*assignor);
        group
            .check(&klamm)
            .unwrap_or_else(|why| panic!("{line}: {why}: {klamm:?}"));
        if *assignor == Assignor::Range {
            assert_eq!(klamm, apache, "{line}");
            continue;
        }
        let (ours, theirs) = (loads(&klamm), loads(&apache));
        let square = |loads: &[usize]| loads.iter().map(|load| load * load).sum::<usize>();
        if group.wants_same() {
            assert_eq!(ours, theirs, "{line}");
            kept_by_apache += group.kept(&apache);
            kept_by_klamm += group.kept(&klamm);
            assert!(
                group.kept(&klamm) >= group.kept(&apache),
                "{line}: {klamm:?} moves more than {apache:?}"
            );
        } else {
            assert!(
                square(&ours) <= square(&theirs),
                "{line}: {klamm:?} is less even than {apache:?}"
            );
            more_even += usize::from(ours != theirs);
        }
    }
    println!(
        "kept where all want the same: {kept_by_klamm}, by Apache {kept_by_apache}; \
         more even in {more_even} groups"
    );
}
