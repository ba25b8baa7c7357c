//! What every row needs: rounds of A B B A, the brokers of a row, and what a run has cost.

use crate::broker::{self, Broker, Installation, Node, System};
use crate::figures::Figures;
use crate::held::Sleepers;
use crate::machine::{ONE_RUN, Reading, Spent, settle_disk, warm_memory};
use crate::probe;
use crate::results::{Measured, Run, SAME};
use crate::sittings::Former;
use crate::turns;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Sockets of the plain reader, and of the sendfile loop that it is held against.
pub const SOCKETS: usize = 4;

/// What the command line asked for.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Programs and folders.
    pub installation: Installation,
    /// Rounds of A B B A.
    pub pairs: usize,
    /// A small one, to see that all works: its figures are no claim.
    pub quick: bool,
    /// This system against itself: the noise floor.
    pub same: Option<System>,
    /// The result that the rounds are added to.
    pub former: Option<Former>,
}

impl Bench {
    /// Kafka and klamm, or twice the same.
    pub fn contestants(&self) -> [(&'static str, System); 2] {
        match self.same {
            Some(system) => [(SAME[0], system), (SAME[1], system)],
            None => [("kafka", System::Kafka), ("klamm", System::Klamm)],
        }
    }

    /// What they are called.
    pub fn labels(&self) -> [&'static str; 2] {
        self.contestants().map(|(label, _)| label)
    }

    /// How long something takes that takes so long in a full run.
    pub fn seconds(&self, full: u64) -> Duration {
        if self.quick {
            Duration::from_millis(full * 1000 / 5)
        } else {
            Duration::from_secs(full)
        }
    }

    /// How many there are of what is so many in a full run.
    pub fn count(&self, full: u64) -> u64 {
        if self.quick { full / 10 } else { full }
    }

    /// The probes of one round, as the contestant "limit".
    fn probe(&self, measured: &mut Measured, round: usize, streams: usize) -> Result<(), String> {
        let each = Duration::from_millis(if self.quick { 200 } else { 700 });
        let figures = probe::all(&self.installation.work, each, streams)?;
        measured.push(round, "limit", figures)
    }

    /// Runs every contestant once a round, each second round backwards: A B B A. Rounds that are added to
    /// a result go on where it ends.
    pub fn alternate(
        &self,
        measured: &mut Measured,
        labels: &[&str],
        mut run: impl FnMut(&str, usize) -> Result<Figures, String>,
    ) -> Result<(), String> {
        let first = match &self.former {
            Some(former) => {
                former.must_have_load(&measured.load)?;
                former.rounds()
            }
            None => 0,
        };
        for round in first..first + self.pairs {
            warm_memory(&self.installation.work, ONE_RUN)?;
            self.probe(measured, round, SOCKETS)?;
            let mut order: Vec<&str> = labels.to_vec();
            if round % 2 == 1 {
                order.reverse();
            }
            for label in order {
                settle_disk(&self.installation.work)?;
                warm_memory(&self.installation.work, ONE_RUN)?;
                let figures = run(label, round)?;
                measured.push(round, label, figures)?;
            }
        }
        Ok(())
    }
}

impl Measured {
    fn push(&mut self, round: usize, contestant: &str, figures: Figures) -> Result<(), String> {
        let told: Vec<String> = figures
            .iter()
            .map(|(name, value)| format!("{name} {}", crate::results::short(*value)))
            .collect();
        println!("  {round} {contestant}: {}", told.join(", "));
        self.runs.push(Run {
            round,
            contestant: contestant.to_owned(),
            figures,
        });
        Ok(())
    }
}

/// Since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(0)
}

/// The one of a row's contestants that has this label.
pub fn called<'k, T>(
    known: &'k [T],
    label: &str,
    name_of: impl Fn(&'k T) -> &'k str,
) -> Result<&'k T, String> {
    let found = known.iter().find(|one| name_of(one) == label);
    found.ok_or_else(|| format!("no contestant is called {label}"))
}

/// The running brokers of a row by their labels.
pub struct Running(pub Vec<(&'static str, Broker)>);

impl Running {
    /// Starts a fresh broker for each label.
    pub fn start(
        bench: &Bench,
        measured: &mut Measured,
        which: &[(&'static str, System)],
    ) -> Result<Running, String> {
        Running::start_with(bench, measured, which, &[])
    }

    /// The same, all with these settings.
    pub fn start_with(
        bench: &Bench,
        measured: &mut Measured,
        which: &[(&'static str, System)],
        settings: &'static [&'static str],
    ) -> Result<Running, String> {
        let mut running = Vec::new();
        for (label, system) in which {
            let node = Node::fresh_with(&bench.installation, *system, label, settings)?;
            measured
                .configurations
                .insert((*label).to_owned(), node.configuration());
            running.push((*label, node.start(&bench.installation)?));
        }
        Ok(Running(running))
    }

    /// The broker of a label, which must be alive.
    pub fn get(&mut self, label: &str) -> Result<&mut Broker, String> {
        let found = self.0.iter_mut().find(|(name, _)| *name == label);
        let (_, broker) = found.ok_or(format!("no broker is called {label}"))?;
        broker.must_live()?;
        Ok(broker)
    }

    /// Stops a broker and starts it again on the same folder.
    pub fn restart(&mut self, label: &str, installation: &Installation) -> Result<(), String> {
        let place = self.0.iter().position(|(name, _)| *name == label);
        let place = place.ok_or(format!("no broker is called {label}"))?;
        let (label, broker) = self.0.remove(place);
        let node = broker.node.clone();
        broker.stop()?;
        self.0.insert(place, (label, node.start(installation)?));
        Ok(())
    }

    /// Stops all.
    pub fn stop(self) -> Result<(), String> {
        for (_, broker) in self.0 {
            broker.stop()?;
        }
        Ok(())
    }

    /// Runs `work` for a JVM until it is warm, for others once.
    pub fn warm_up(
        &mut self,
        bench: &Bench,
        mut work: impl FnMut(&mut Broker, usize) -> Result<(), String>,
    ) -> Result<(), String> {
        let patience = bench.seconds(60);
        for (label, broker) in &mut self.0 {
            let start = Instant::now();
            let mut count = 0;
            while count == 0 || (broker.node.system == System::Kafka && start.elapsed() < patience)
            {
                work(broker, count)?;
                count += 1;
            }
            println!(
                "  {label}: {count} warm-up runs, {:.0} s",
                start.elapsed().as_secs_f64()
            );
        }
        Ok(())
    }
}

/// Runs `work` and says what it cost: the figures that every run has.
pub fn measure(
    broker: &mut Broker,
    work: impl FnOnce(&mut Broker) -> Result<Figures, String>,
) -> Result<(Figures, Spent), String> {
    let process = broker.process();
    // The turns until here are none of this run.
    let has_told = broker.turns().is_some();
    let sleepers = Sleepers::start();
    let before = Reading::now(process)?;
    let mut figures = work(broker)?;
    let spent = before.until_now(process)?;
    if let Some(sleepers) = sleepers {
        sleepers.end(&mut figures);
    }
    let (resident, highest) = broker::memory_mb(broker)?;
    let other = spent.machine_busy_s - spent.broker_s - spent.client_s;
    for (name, value) in [
        ("wall_s", spent.wall_s),
        ("broker_cpu_s", spent.broker_s),
        ("client_cpu_s", spent.client_s),
        ("other_cpu_s", other),
        ("machine_busy_s", spent.machine_busy_s),
        ("steal_s", spent.steal_s),
        ("rss_mb", resident),
        ("rss_highest_mb", highest),
    ] {
        figures.insert(name.into(), value);
    }
    figures.core_busy.clone_from(&spent.core_busy);
    if has_told && let Some(cores) = broker.turns() {
        turns::put(&mut figures, cores);
    }
    Ok((figures, spent))
}

/// The costs of a run over the bytes that it moved.
pub fn per_gb(figures: &mut Figures, spent: &Spent, bytes: f64) {
    let gigabytes = bytes / 1e9;
    figures.insert("gb".into(), gigabytes);
    figures.insert("broker_cpu_s_per_gb".into(), spent.broker_s / gigabytes);
    figures.insert(
        "machine_busy_s_per_gb".into(),
        spent.machine_busy_s / gigabytes,
    );
}
