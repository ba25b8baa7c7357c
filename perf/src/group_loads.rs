//! What the rows of groups do: commits, heartbeats of many groups, joins of large ones.

use crate::bench::{Bench, Running, measure};
use crate::broker::{self, Broker, System};
use crate::classic::{self, Plan};
use crate::figures::Figures;
use crate::links::Links;
use crate::loads::{ECHO, ask_all};
use crate::machine::{Reading, real, real_length};
use crate::requests::Load;
use crate::results::Measured;
use crate::{beats, consumer, echo, group_wire, wire};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `group.initial.rebalance.delay.ms`, the default of both. It passes twice: members that come
/// during the first one begin a second one.
const INITIAL_DELAYS: Duration = Duration::from_secs(6);
const KIB_OF_MB: f64 = 1e6 / 1024.0;

/// OffsetCommits of consumers without membership.
pub fn commits(bench: &Bench, measured: &mut Measured, window: usize) -> Result<(), String> {
    const PARTITIONS: i32 = 16;
    const CONNECTIONS: i32 = 64;
    const TOPIC: &str = "commits";
    let contestants = bench.contestants();
    let mut running = Running::start(bench, measured, &contestants)?;
    measured.load = format!(
        "OffsetCommit v6 without membership, one partition, {CONNECTIONS} connections, each with a \
         group of its own, {window} in flight on each, one client thread"
    );
    let groups: Vec<String> = (0..CONNECTIONS)
        .map(|index| format!("commits-{index}"))
        .collect();
    for (_, broker) in &mut running.0 {
        wire::create_topic(broker.port(), TOPIC, PARTITIONS)?;
        group_wire::find_coordinators(broker.port(), groups.iter().map(String::as_str))?;
    }
    let load = || Load {
        frames: (0..)
            .zip(&groups)
            .map(|(index, group): (i32, _)| {
                let partition = std::iter::once(index % PARTITIONS);
                group_wire::offset_commit(group, TOPIC, partition, 1_000_000)
            })
            .collect(),
        window,
        duration: bench.seconds(10),
        error_of: group_wire::offset_commit_error,
    };
    ask_all(bench, measured, &mut running, load)?;
    running.stop()
}

const MEMBERS_EACH: usize = 4;
const PARTITIONS_EACH: i32 = 10;
const GROUPS_PER_TOPIC: usize = 100;
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// So many groups of four members, ten partitions each.
fn many_groups(count: usize, name: &str) -> Plan {
    let place = |group: usize| i32::try_from(group % GROUPS_PER_TOPIC).expect("below a hundred");
    Plan {
        groups: (0..count)
            .map(|group| format!("{name}-{group:04}"))
            .collect(),
        members: MEMBERS_EACH,
        topics: (0..count)
            .map(|group| format!("groups-{}", group / GROUPS_PER_TOPIC))
            .collect(),
        partitions: (0..count)
            .map(|group| (place(group) * PARTITIONS_EACH, PARTITIONS_EACH))
            .collect(),
    }
}

/// Many groups that do nothing but live.
pub fn groups(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    let contestants = bench.contestants();
    let count = usize::try_from(bench.count(1_000)).expect("a small count");
    let topics: Vec<String> = (0..count.div_ceil(GROUPS_PER_TOPIC))
        .map(|topic| format!("groups-{topic}"))
        .collect();
    let partitions = PARTITIONS_EACH * i32::try_from(GROUPS_PER_TOPIC).expect("a small count");
    let duration = bench.seconds(30);
    measured.load = format!(
        "{count} groups of {MEMBERS_EACH} members, a connection each, {} topics of {partitions} \
         partitions; JoinGroup v5, SyncGroup v3, then for {} s Heartbeat v3 of every member every \
         {} s, at moments that have nothing to do with each other, of which the last {} s are \
         measured. klamm is started anew for each run, with its topics there. Both list the groups \
         by klamm groups --list. echo: one thread that answers as many frames of as many connections, \
         at the same moments",
        topics.len(),
        (duration + settling(duration)).as_secs_f64(),
        HEARTBEAT_INTERVAL.as_secs(),
        duration.as_secs_f64()
    );
    let mut running = Running::start(bench, measured, &contestants)?;
    for (_, broker) in &mut running.0 {
        group_wire::create_topics(broker.port(), &topics, partitions)?;
        group_wire::find_coordinators(broker.port(), ["warm-up"])?;
    }
    running.warm_up(bench, |broker, round| {
        groups_once(
            bench,
            broker,
            &many_groups(count, &format!("warm-up-{round}")),
            duration,
        )
        .map(drop)
    })?;
    let [one, other] = bench.labels();
    bench.alternate(measured, &[one, ECHO, other], |label, round| {
        if label == ECHO {
            return echoed_beats(count * MEMBERS_EACH, duration);
        }
        // Memory that earlier groups left behind would hide what these take.
        if running.get(label)?.node.system == System::Klamm {
            running.restart(label, &bench.installation)?;
        }
        let plan = many_groups(count, &format!("run-{round}"));
        groups_once(bench, running.get(label)?, &plan, duration)
    })?;
    running.stop()
}

/// How long members beat before it is measured: klamm takes its time with heartbeats from the third
/// one on, and a group lives for longer than four.
fn settling(duration: Duration) -> Duration {
    duration / 2
}

/// What as many heartbeats, at the same moments, cost a server that only receives and sends.
fn echoed_beats(count: usize, duration: Duration) -> Result<Figures, String> {
    // As long as the id that a coordinator gives.
    let id = "klamm-perf-00000000-0000-0000-0000-000000000000";
    let frame = group_wire::heartbeat("run-0-0000", 1, id);
    let body = [0; 6]; // throttle_time_ms, error_code
    let reply = [&10_i32.to_be_bytes()[..], &7_i32.to_be_bytes(), &body].concat();
    let (beats, cpu) = echo::beside(count, &reply, |port| {
        let said = |error: std::io::Error| format!("heartbeats failed: {error}");
        let mut links = Links::open(port, count).map_err(said)?;
        let frames = vec![frame; count];
        beats::beat(&mut links, &frames, duration, HEARTBEAT_INTERVAL).map_err(said)
    })?;
    Ok(Figures::from([
        ("beats".into(), real(beats.count)),
        ("beat_mean_ms".into(), beats.mean_ms),
        ("beat_longest_ms".into(), beats.longest_ms),
        ("cpu_percent".into(), cpu / duration.as_secs_f64() * 100.0),
        ("cpu_us_per_beat".into(), cpu * 1e6 / real(beats.count)),
    ]))
}

fn groups_once(
    bench: &Bench,
    broker: &mut Broker,
    plan: &Plan,
    duration: Duration,
) -> Result<Figures, String> {
    let said = |error: std::io::Error| format!("members failed: {error}");
    group_wire::find_coordinators(broker.port(), plan.groups.iter().map(String::as_str))?;
    let (before, _) = broker::memory_mb(broker)?;
    let mut members = classic::Members::connect(broker.port(), plan.clone()).map_err(said)?;
    std::thread::sleep(bench.seconds(3));
    let quiet = Reading::now(broker.process())?;
    std::thread::sleep(duration / 8);
    let quiet = quiet.until_now(broker.process())?;
    let (connected, _) = broker::memory_mb(broker)?;
    let settled = members.join().map_err(said)?;
    std::thread::sleep(bench.seconds(1));
    let (joined, _) = broker::memory_mb(broker)?;
    members
        .beat_for(settling(duration), HEARTBEAT_INTERVAL)
        .map_err(said)?;
    let (mut figures, spent) = measure(broker, |_| {
        let beats = members
            .beat_for(duration, HEARTBEAT_INTERVAL)
            .map_err(said)?;
        Ok(Figures::from([
            ("beats".into(), real(beats.count)),
            ("beat_mean_ms".into(), beats.mean_ms),
            ("beat_longest_ms".into(), beats.longest_ms),
        ]))
    })?;
    let list_s = list(bench, broker, plan.groups.len())?;
    let count = real_length(members.count());
    let beats = figures.get("beats").copied().unwrap_or(0.0);
    for (name, value) in [
        ("join_s", settled.stable_s),
        ("cpu_percent", spent.broker_s / spent.wall_s * 100.0),
        ("cpu_us_per_beat", spent.broker_s * 1e6 / beats),
        ("quiet_cpu_percent", quiet.broker_s / quiet.wall_s * 100.0),
        ("kib_per_member", (joined - connected) * KIB_OF_MB / count),
        (
            "kib_per_connected_member",
            (joined - before) * KIB_OF_MB / count,
        ),
        ("list_s", list_s),
    ] {
        figures.insert(name.into(), value);
    }
    members.leave().map_err(said)?;
    Ok(figures)
}

/// How long `klamm groups --list` takes; it must name so many.
fn list(bench: &Bench, broker: &Broker, least: usize) -> Result<f64, String> {
    let start = Instant::now();
    let mut command = Command::new(&bench.installation.klamm);
    command
        .args(["groups", "--list", "--bootstrap-server"])
        .arg(format!("127.0.0.1:{}", broker.port()))
        .stdin(Stdio::null());
    let output = crate::orphans::output(&mut command)
        .map_err(|error| format!("cannot run klamm groups: {error}"))?;
    let took = start.elapsed().as_secs_f64();
    let listed = String::from_utf8_lossy(&output.stdout).lines().count();
    if !output.status.success() || listed < least {
        return Err(format!(
            "klamm groups listed {listed} of {least} groups: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(took)
}

/// One large classic group: everybody joins, then everybody joins again.
pub fn join_classic(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    large_classic_group(bench, measured, &InitialDelay::Default)
}

/// The same where the coordinator waits for nobody: what is left is work.
pub fn join_classic_at_once(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    large_classic_group(bench, measured, &InitialDelay::None)
}

/// `group.initial.rebalance.delay.ms`
enum InitialDelay {
    /// 3 s.
    Default,
    /// 0.
    None,
}

fn large_classic_group(
    bench: &Bench,
    measured: &mut Measured,
    delay: &InitialDelay,
) -> Result<(), String> {
    let contestants = bench.contestants();
    let members = usize::try_from(bench.count(500)).expect("a small count");
    let partitions = i32::try_from(bench.count(5_000)).expect("a small count");
    let (settings, waited, look_ms, told): (&[&str], _, _, _) = match delay {
        InitialDelay::Default => (
            &[],
            INITIAL_DELAYS,
            100,
            "group.initial.rebalance.delay.ms is the default, 3 s, on both, and passes twice",
        ),
        InitialDelay::None => (
            &["group.initial.rebalance.delay.ms=0"],
            Duration::ZERO,
            1,
            "group.initial.rebalance.delay.ms is 0 on both: the first member has a generation of its \
             own, and the others the next one, of which it learns by a heartbeat every millisecond",
        ),
    };
    measured.load = format!(
        "{members} members, a connection each, of one process: JoinGroup v5 at once, with the id that \
         is required again, SyncGroup v3; the leader gives each the same number of {partitions} \
         partitions. Stable is when the last member has its partitions. {told}. Then all join again \
         with other subscriptions, which is one rebalance without a delay"
    );
    let mut running = Running::start_with(bench, measured, &contestants, settings)?;
    for (_, broker) in &mut running.0 {
        wire::create_topic(broker.port(), "join", partitions)?;
    }
    let once = |broker: &mut Broker, group: &str| -> Result<Figures, String> {
        let said = |error: std::io::Error| format!("members failed: {error}");
        group_wire::find_coordinators(broker.port(), [group])?;
        let plan = Plan {
            groups: vec![group.to_owned()],
            members,
            topics: vec!["join".to_owned()],
            partitions: vec![(0, partitions)],
        };
        let mut all = classic::Members::connect(broker.port(), plan).map_err(said)?;
        all.look_every(Duration::from_millis(look_ms));
        let (figures, _) = measure(broker, |_| {
            let first = all.join().map_err(said)?;
            let again = all.join().map_err(said)?;
            Ok(Figures::from([
                ("join_s".into(), first.stable_s),
                (
                    "join_beyond_delay_s".into(),
                    first.stable_s - waited.as_secs_f64(),
                ),
                ("join_gathered_s".into(), first.gathered_s),
                ("rejoin_gathered_s".into(), again.gathered_s),
                ("rejoin_s".into(), again.stable_s),
            ]))
        })?;
        all.leave().map_err(said)?;
        Ok(figures)
    };
    running.warm_up(bench, |broker, round| {
        once(broker, &format!("warm-up-{round}")).map(drop)
    })?;
    bench.alternate(
        measured,
        &contestants.map(|(label, _)| label),
        |label, round| once(running.get(label)?, &format!("run-{round}")),
    )?;
    running.stop()
}

/// One large consumer group: everybody joins.
pub fn join_consumer(bench: &Bench, measured: &mut Measured) -> Result<(), String> {
    let contestants = bench.contestants();
    let members = usize::try_from(bench.count(1_000)).expect("a small count");
    // Apache makes no topic of 10,000 at once.
    let topics: Vec<String> = (0..10).map(|topic| format!("join-{topic}")).collect();
    let partitions = i32::try_from(bench.count(1_000)).expect("a small count");
    measured.load = format!(
        "{members} members, a connection each, of one process: ConsumerGroupHeartbeat v0 with epoch 0 \
         at once, then as the protocol says: at once where a member has other partitions than \
         before, else after the interval that it was told. Stable is when all are in one epoch, \
         each has its share of 10 topics with {partitions} partitions each, and has said so. Defaults \
         on both"
    );
    let mut running = Running::start(bench, measured, &contestants)?;
    for (_, broker) in &mut running.0 {
        group_wire::create_topics(broker.port(), &topics, partitions)?;
    }
    let once = |broker: &mut Broker, group: &str| -> Result<Figures, String> {
        let said = |error: std::io::Error| format!("members failed: {error}");
        let count = usize::try_from(partitions).expect("a positive count") * topics.len();
        group_wire::find_coordinators(broker.port(), [group])?;
        let port = broker.port();
        let mut all =
            consumer::Members::connect(port, group, members, &topics, count).map_err(said)?;
        let (figures, _) = measure(broker, |_| {
            let settled = all.join().map_err(said)?;
            Ok(Figures::from([
                ("join_s".into(), settled.stable_s),
                ("heartbeats".into(), real(settled.heartbeats)),
            ]))
        })?;
        all.leave().map_err(said)?;
        Ok(figures)
    };
    running.warm_up(bench, |broker, round| {
        once(broker, &format!("warm-up-{round}")).map(drop)
    })?;
    bench.alternate(
        measured,
        &contestants.map(|(label, _)| label),
        |label, round| once(running.get(label)?, &format!("run-{round}")),
    )?;
    running.stop()
}
