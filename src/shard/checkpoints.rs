//! The checkpoint files, which say where each log's records are durable, count and begin: Kafka writes
//! them every few seconds, and so does shard 0 for all shards.
//!
//! ```text
//!   due ─► Looking: has anything moved? ──no──► done
//!             └─yes─► Gathering: lines ──Mail::Checkpoint──► shard 0: the files, of all shards' lines
//! ```
//! A core has thousands of logs, more than any cache holds: it goes through some of them in each turn.
//! Lines are made where the logs are; shard 0 only strings them together.

use super::mail::{CheckpointFiles, CheckpointLines, Mail};
use super::{Phase, Shard};
use crate::base::ids::Offset;
use crate::base::time::Instant;
use crate::log::checkpoint::{self, Lines};
use crate::partition::{Partition, Partitions};
use crate::runtime::io::Io;

/// Most logs that are gone through in one turn.
const LOGS_PER_TURN_MAX: usize = 512;

/// The lines that belong into one of the files.
type LinesOf = fn(&CheckpointLines) -> &Lines;

/// How far a shard is with its checkpoints.
#[derive(Default)]
pub(super) struct Checkpoints {
    /// What the files said of its logs when they were last written: an idle broker writes nothing.
    told: Told,
    /// Files whose time came while others were under way.
    due: CheckpointFiles,
    pass: Option<Pass>,
}

#[derive(Default)]
struct Told {
    offsets: Option<u64>,
    log_starts: Option<u64>,
}

/// One way through all logs.
struct Pass {
    /// The place of the next log.
    place: usize,
    stage: Stage,
}

enum Stage {
    Looking(CheckpointFiles, Sums),
    Gathering(CheckpointFiles, Sums, Vec<CheckpointLines>),
}

/// What came of a turn's share.
enum Progress {
    /// Nothing is due, or nothing has moved.
    Nothing,
    /// There are logs left for the next turn.
    More,
    /// These files shall say this.
    Said(CheckpointFiles, Vec<CheckpointLines>),
}

/// What stands for all that the files would say.
#[derive(Clone, Copy, Default)]
struct Sums {
    offsets: u64,
    log_starts: u64,
}

impl Sums {
    fn add(&mut self, partition: &Partition) {
        let bits = |offset: Offset| offset.0.cast_unsigned();
        let log = &partition.log;
        self.offsets = self
            .offsets
            .wrapping_mul(31)
            .wrapping_add(bits(partition.high_watermark))
            .wrapping_add(bits(log.recovery_point()) << 1)
            .wrapping_add(1);
        self.log_starts = self
            .log_starts
            .wrapping_mul(31)
            .wrapping_add(bits(log.log_start_offset()) << 2)
            .wrapping_add(1);
    }
}

impl Told {
    /// The files, of those that are due, that would say something else now.
    fn moved(&self, due: CheckpointFiles, now: Sums) -> CheckpointFiles {
        CheckpointFiles {
            offsets: due.offsets && self.offsets != Some(now.offsets),
            log_starts: due.log_starts && self.log_starts != Some(now.log_starts),
        }
    }

    /// They say it now.
    fn note(&mut self, files: CheckpointFiles, now: Sums) {
        if files.offsets {
            self.offsets = Some(now.offsets);
        }
        if files.log_starts {
            self.log_starts = Some(now.log_starts);
        }
    }
}

impl Checkpoints {
    /// Goes on through the logs, or begins with what is due. Where `Said` comes of it, that is to be
    /// written.
    fn go_on(
        &mut self,
        due: CheckpointFiles,
        partitions: &Partitions,
        directories: usize,
    ) -> Progress {
        self.due = self.due.or(due);
        if self.pass.is_none() && self.due.is_any() {
            let due = std::mem::take(&mut self.due);
            self.pass = Some(Pass {
                place: 0,
                stage: Stage::Looking(due, Sums::default()),
            });
        }
        let mut left = LOGS_PER_TURN_MAX;
        let end = partitions.places_end();
        while let Some(mut pass) = self.pass.take() {
            let last = end.min(pass.place.saturating_add(left));
            for partition in partitions.between(pass.place..last) {
                match &mut pass.stage {
                    Stage::Looking(_, sums) => sums.add(partition),
                    Stage::Gathering(_, _, lines) => lines[partition.directory].add(partition),
                }
            }
            left -= last.saturating_sub(pass.place);
            pass.place = last;
            if pass.place < end {
                self.pass = Some(pass);
                return Progress::More;
            }
            match pass.stage {
                Stage::Looking(due, sums) => {
                    let files = self.told.moved(due, sums);
                    self.pass = files.is_any().then(|| Pass {
                        place: 0,
                        stage: Stage::Gathering(files, sums, no_lines(directories)),
                    });
                }
                // Not before: a pass that is given up has told nobody.
                Stage::Gathering(files, sums, lines) => {
                    self.told.note(files, sums);
                    return Progress::Said(files, lines);
                }
            }
        }
        Progress::Nothing
    }
}

fn no_lines(directories: usize) -> Vec<CheckpointLines> {
    vec![CheckpointLines::default(); directories]
}

impl Shard {
    /// Goes on through the logs, and gives shard 0 the lines for those of the files whose time has come,
    /// where they are others than before.
    pub(super) fn checkpoint(&mut self, io: &mut Io<Mail>, due: CheckpointFiles) {
        let directories = self.logs.directories.list.len();
        match self.checkpoints.go_on(due, &self.partitions, directories) {
            Progress::Nothing => {}
            Progress::More => io.turn_again(),
            Progress::Said(files, mut lines) => {
                self.logs.add_missing(&mut lines);
                let mail = Mail::Checkpoint {
                    core: self.core,
                    lines,
                    files,
                    closed_cleanly: None,
                };
                self.pass(io, 0, mail);
            }
        }
    }

    /// What the files shall say about this core's logs, in one go.
    pub(super) fn checkpoint_lines(&mut self) -> Vec<CheckpointLines> {
        let mut lines = no_lines(self.logs.directories.list.len());
        for partition in self.partitions.iter_mut() {
            lines[partition.directory].add(partition);
        }
        self.logs.add_missing(&mut lines);
        lines
    }

    /// A log is gone: the files must not say of the next one by its name what was true of this one.
    pub(super) fn checkpoint_soon(&mut self, now: Instant) {
        self.checkpoints.pass = None;
        self.timers.checkpoint = now;
        self.timers.log_starts = now;
    }

    /// Shard 0: takes a shard's lines, and writes the files of each directory.
    pub(super) fn on_checkpoint(
        &mut self,
        io: &mut Io<Mail>,
        core: usize,
        lines: Vec<CheckpointLines>,
        files: CheckpointFiles,
        closed_cleanly: Option<bool>,
    ) {
        let Some(control) = self.control.as_mut() else {
            return;
        };
        control.checkpoints[core] = Some(lines);
        if let Some(is_clean) = closed_cleanly {
            control.shards_closed += 1;
            control.is_clean &= is_clean;
        }
        if self.phase == Phase::Serving {
            self.write_checkpoints(io, files);
        } else if control.shards_closed == self.cores {
            // The last of the shards that stop completes the files. They may say what is durable only.
            if self.sync_logs(io) {
                self.write_checkpoints(io, CheckpointFiles::ALL);
            }
        }
        self.stop_if_closed(io);
    }

    /// Makes durable what the shards have left in their logs. It is waited for. False where that failed: then the stop is
    /// no clean one.
    fn sync_logs(&mut self, io: &Io<Mail>) -> bool {
        let mut directories = self.logs.directories.list.iter();
        let is_synced = directories.all(|directory| {
            let path = &directory.path;
            let synced = io.disk().sync_file_system(path).inspect_err(|error| {
                tracing::error!(
                    "{} cannot be synced: {error}; the next start will check the logs",
                    path.display()
                );
            });
            synced.is_ok()
        });
        if let Some(control) = self.control.as_mut() {
            control.is_clean &= is_synced;
        }
        is_synced
    }

    /// While the broker serves they are written away from the turn. At a stop they are waited for: the
    /// marker of a clean stop says that they are complete.
    fn write_checkpoints(&mut self, io: &mut Io<Mail>, files: CheckpointFiles) {
        let waits = self.phase != Phase::Serving;
        if waits {
            io.finish_replacements();
        }
        let Some(control) = self.control.as_ref() else {
            return;
        };
        // Until every shard has spoken the files of the last run know more.
        if control.checkpoints.iter().any(Option::is_none) {
            return;
        }
        for (place, directory) in self.logs.directories.list.iter().enumerate() {
            let all: [(_, LinesOf, _); 3] = [
                (
                    checkpoint::RECOVERY_POINT,
                    |of| &of.recovery_points,
                    files.offsets,
                ),
                (
                    checkpoint::LOG_START_OFFSET,
                    |of| &of.log_starts,
                    files.log_starts,
                ),
                (
                    checkpoint::REPLICATION_OFFSET,
                    |of| &of.high_watermarks,
                    files.offsets,
                ),
            ];
            for (name, lines_of, is_due) in all {
                if !is_due {
                    continue;
                }
                let shards = control.checkpoints.iter().flatten();
                let content = checkpoint::content(shards.map(|lines| lines_of(&lines[place])));
                let path = directory.path.join(name);
                if !waits {
                    io.replace_file(&path, content, None);
                } else if let Err(error) = checkpoint::write(io.disk(), &path, &content) {
                    tracing::error!("{error}");
                }
            }
        }
    }
}

impl CheckpointLines {
    fn add(&mut self, partition: &Partition) {
        let (log, topic) = (&partition.log, &partition.topic);
        let index = partition.topic_partition.partition;
        self.recovery_points
            .push(topic, index, log.recovery_point());
        self.high_watermarks
            .push(topic, index, partition.high_watermark);
        // Only where it cannot be told from the first segment's name.
        let start = log.log_start_offset();
        let first = log.segments().next();
        if first.is_some_and(|segment| start > segment.base_offset) {
            self.log_starts.push(topic, index, start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{LeaderEpoch, PartitionIndex, TopicId, TopicPartition};
    use crate::base::time::{Now, Timestamp};
    use crate::log::{Log, LogConfig};
    use crate::protocol::string::Str;
    use crate::runtime::disk::Disk;
    use crate::runtime::simulated::disk::SimulatedDisk;
    use std::path::PathBuf;

    const NOW: Now = Now {
        instant: Instant(0),
        timestamp: Timestamp(0),
    };

    fn partitions(count: usize) -> Partitions {
        let disk = Disk::Simulated(SimulatedDisk::new());
        let mut partitions = Partitions::default();
        for index in (0..).take(count) {
            let topic_partition = TopicPartition {
                topic_id: TopicId::ZERO,
                partition: PartitionIndex(index),
            };
            let path = PathBuf::from(format!("/topic-{index}"));
            let log = Log::create(&disk, &path, TopicId::ZERO, LogConfig::default(), NOW);
            let (topic, epoch) = (Str::from_static("topic"), Some(LeaderEpoch(0)));
            let partition = Partition::new(topic_partition, topic, log.unwrap(), 0, epoch);
            partitions.insert(partition);
        }
        partitions
    }

    /// Goes on until it says something or has nothing to say: how many entries, after how many turns.
    fn finish(checkpoints: &mut Checkpoints, partitions: &Partitions) -> (usize, usize) {
        let mut due = CheckpointFiles::ALL;
        for turn in 1.. {
            match checkpoints.go_on(std::mem::take(&mut due), partitions, 1) {
                Progress::More => {}
                Progress::Nothing => return (0, turn),
                Progress::Said(_, lines) => {
                    let content = checkpoint::content(lines.iter().map(|of| &of.recovery_points));
                    return (checkpoint::parse(&content).unwrap().len(), turn);
                }
            }
        }
        unreachable!("it ends")
    }

    #[test]
    fn every_log_is_told_of_some_in_each_turn_and_then_nothing_is() {
        let mut checkpoints = Checkpoints::default();
        let few = partitions(3);
        assert_eq!(finish(&mut checkpoints, &few), (3, 1));
        let many = partitions(2 * LOGS_PER_TURN_MAX + 7);
        let (told, turns) = finish(&mut checkpoints, &many);
        assert_eq!(told, 2 * LOGS_PER_TURN_MAX + 7);
        assert!(turns >= 4, "{turns}");
        assert_eq!(finish(&mut checkpoints, &many).0, 0);
    }

    #[test]
    fn a_pass_that_was_given_up_has_told_nobody() {
        let mut checkpoints = Checkpoints::default();
        let many = partitions(LOGS_PER_TURN_MAX + 1);
        checkpoints.go_on(CheckpointFiles::ALL, &many, 1);
        checkpoints.go_on(CheckpointFiles::default(), &many, 1);
        let stage = checkpoints.pass.take().map(|pass| pass.stage);
        assert!(matches!(stage, Some(Stage::Gathering(..))));
        assert_eq!(
            finish(&mut checkpoints, &many).0,
            LOGS_PER_TURN_MAX + 1,
            "what nobody was told of is told"
        );
    }
}
