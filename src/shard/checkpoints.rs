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
use crate::log::checkpoint;
use crate::partition::Partition;
use crate::runtime::io::Io;

/// Most logs that are gone through in one turn.
const LOGS_PER_TURN_MAX: usize = 512;

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
    Gathering(CheckpointFiles, Vec<CheckpointLines>),
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
    fn moved(&mut self, due: CheckpointFiles, now: Sums) -> CheckpointFiles {
        let has_moved = |before: &mut Option<u64>, sum| before.replace(sum) != Some(sum);
        CheckpointFiles {
            offsets: due.offsets && has_moved(&mut self.offsets, now.offsets),
            log_starts: due.log_starts && has_moved(&mut self.log_starts, now.log_starts),
        }
    }
}

impl Checkpoints {
    /// Begins with what is due, unless something is under way.
    fn begin(&mut self, due: CheckpointFiles) -> Option<Pass> {
        self.due = self.due.or(due);
        self.pass.take().or_else(|| {
            let due = std::mem::take(&mut self.due);
            due.is_any().then(|| Pass {
                place: 0,
                stage: Stage::Looking(due, Sums::default()),
            })
        })
    }
}

impl Shard {
    /// Goes on through the logs, and gives shard 0 the lines for those of the files whose time has come,
    /// where they are others than before.
    pub(super) fn checkpoint(&mut self, io: &mut Io<Mail>, due: CheckpointFiles) {
        let Some(mut pass) = self.checkpoints.begin(due) else {
            return;
        };
        let mut left = LOGS_PER_TURN_MAX;
        let end = self.partitions.places_end();
        loop {
            let last = end.min(pass.place.saturating_add(left));
            for partition in self.partitions.between(pass.place..last) {
                match &mut pass.stage {
                    Stage::Looking(_, sums) => sums.add(partition),
                    Stage::Gathering(_, lines) => lines[partition.directory].add(partition),
                }
            }
            left -= last.saturating_sub(pass.place);
            pass.place = last;
            if pass.place < end {
                self.checkpoints.pass = Some(pass);
                io.turn_again();
                return;
            }
            match pass.stage {
                Stage::Looking(due, sums) => {
                    let files = self.checkpoints.told.moved(due, sums);
                    if !files.is_any() {
                        return;
                    }
                    pass = Pass {
                        place: 0,
                        stage: Stage::Gathering(files, self.no_lines()),
                    };
                }
                Stage::Gathering(files, mut lines) => {
                    self.logs.add_missing(&mut lines);
                    let mail = Mail::Checkpoint {
                        core: self.core,
                        lines,
                        files,
                        is_final: false,
                    };
                    self.pass(io, 0, mail);
                    return;
                }
            }
        }
    }

    fn no_lines(&self) -> Vec<CheckpointLines> {
        vec![CheckpointLines::default(); self.logs.directories.list.len()]
    }

    /// What the files shall say about this core's logs, in one go.
    pub(super) fn checkpoint_lines(&mut self) -> Vec<CheckpointLines> {
        let mut lines = self.no_lines();
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
        is_final: bool,
    ) {
        let Some(control) = self.control.as_mut() else {
            return;
        };
        control.checkpoints[core] = Some(lines);
        if is_final {
            control.shards_closed += 1;
        }
        if self.phase == Phase::Serving {
            self.write_checkpoints(io, files);
        } else if control.shards_closed == self.cores {
            // The last of the shards that stop completes the files.
            self.write_checkpoints(io, CheckpointFiles::ALL);
        }
        self.stop_if_closed(io);
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
            let of_all = || {
                let shards = control.checkpoints.iter().flatten();
                shards.map(move |lines| &lines[place])
            };
            let recovery_points = || checkpoint::content(of_all().map(|of| &of.recovery_points));
            let log_starts = || checkpoint::content(of_all().map(|of| &of.log_starts));
            let high_watermarks = || checkpoint::content(of_all().map(|of| &of.high_watermarks));
            let all: [(_, &dyn Fn() -> Vec<u8>, _); 3] = [
                (checkpoint::RECOVERY_POINT, &recovery_points, files.offsets),
                (checkpoint::LOG_START_OFFSET, &log_starts, files.log_starts),
                (
                    checkpoint::REPLICATION_OFFSET,
                    &high_watermarks,
                    files.offsets,
                ),
            ];
            for (name, content, is_due) in all {
                if !is_due {
                    continue;
                }
                let path = directory.path.join(name);
                if !waits {
                    io.replace_file(&path, content(), None);
                } else if let Err(error) = checkpoint::write(io.disk(), &path, &content()) {
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
