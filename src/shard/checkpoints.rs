//! The regular work of a shard, and the checkpoint files, which shard 0 writes for all.

use super::mail::{CheckpointEntry, CheckpointFiles, Mail};
use super::{Phase, Shard, Timers};
use crate::base::ids::PartitionIndex;
use crate::base::time::{Instant, milliseconds};
use crate::config::Configuration;
use crate::log::checkpoint::{self, OffsetCheckpoint};
use crate::runtime::io::Io;
use std::time::Duration;

/// How long a shard that stops waits for requests that are being answered.
const IDLE_CHECK: Duration = Duration::from_secs(30);

impl Timers {
    pub(super) fn new(now: Instant, configuration: &Configuration) -> Timers {
        let upkeep = now + milliseconds(configuration.log_initial_task_delay_ms());
        let flush_interval = flush_interval(configuration);
        Timers {
            checkpoint: now + checkpoint_interval(configuration),
            recovery_point: upkeep,
            log_starts: upkeep,
            flush: flush_interval.map_or(Instant::NEVER, |interval| (now + interval).min(upkeep)),
            flush_interval,
            retention: upkeep,
            idle_connections: now + IDLE_CHECK,
        }
    }
}

/// A time between two rounds; as in Kafka, without one there is no second round.
fn interval(ms: i64) -> Duration {
    if ms > 0 {
        milliseconds(ms)
    } else {
        Duration::MAX
    }
}

fn checkpoint_interval(configuration: &Configuration) -> Duration {
    interval(configuration.replica_high_watermark_checkpoint_interval_ms())
}

fn recovery_point_interval(configuration: &Configuration) -> Duration {
    interval(i64::from(
        configuration.log_flush_offset_checkpoint_interval_ms(),
    ))
}

fn log_starts_interval(configuration: &Configuration) -> Duration {
    interval(i64::from(
        configuration.log_flush_start_offset_checkpoint_interval_ms(),
    ))
}

/// How often all logs are asked whether their `flush.ms` has passed. By default Kafka never looks;
/// klamm then syncs each log at its own time.
fn flush_interval(configuration: &Configuration) -> Option<Duration> {
    let ms = configuration.log_flush_scheduler_interval_ms();
    (ms < i64::MAX).then(|| interval(ms))
}

/// What the checkpoint files said of this shard's logs when they were last written: an idle broker
/// writes nothing.
#[derive(Default)]
pub(super) struct Checkpointed {
    offsets: Option<u64>,
    log_starts: Option<u64>,
}

impl Shard {
    /// Does what is due.
    pub(super) fn on_timers(&mut self, io: &mut Io<Mail>) {
        let now = io.now().instant;
        while let Some(request) = self.requests.due(now) {
            self.on_wake(io, request, true);
        }
        if self.phase != Phase::Serving {
            return;
        }
        self.coordinators.on_timers(now);
        if now >= self.timers.recovery_point {
            self.timers.recovery_point = now + recovery_point_interval(&self.configuration);
            // What the last round has synced is recorded, and the next round begins.
            self.logs.next_recovery_point.get_or_insert(0);
        }
        self.move_recovery_points(io);
        match self.timers.flush_interval {
            None => self.partitions.flush_due(now),
            Some(interval) if now >= self.timers.flush => {
                self.timers.flush = now + interval;
                self.partitions.sync_due(io.now(), false);
            }
            Some(_) => {}
        }
        self.partitions.sync_next(io);
        let due = CheckpointFiles {
            offsets: now >= self.timers.checkpoint,
            log_starts: now >= self.timers.log_starts,
        };
        if due.offsets {
            self.timers.checkpoint = now + checkpoint_interval(&self.configuration);
            self.tend_metadata(io);
        }
        if due.log_starts {
            self.timers.log_starts = now + log_starts_interval(&self.configuration);
        }
        self.checkpoint(io, due);
        if now >= self.timers.retention {
            let interval = self.configuration.log_retention_check_interval_ms();
            self.timers.retention = now + milliseconds(interval);
            self.partitions.housekeeping(io);
        }
        if now >= self.logs.retry_at {
            self.retry_logs(io);
            // One of them may be of a coordinator.
            self.follow_coordinators(io, None);
        }
        if now >= self.timers.idle_connections {
            self.timers.idle_connections = now + IDLE_CHECK;
            self.close_idle(io);
            io.pool().rest();
        }
    }

    /// The next time at which something of the above is due.
    pub(super) fn next_timer(&self) -> Instant {
        let timers = &self.timers;
        let flush = match timers.flush_interval {
            None => self.partitions.next_flush(),
            Some(_) => timers.flush,
        };
        let idle = if self.connections.count() > 0 {
            timers.idle_connections
        } else {
            Instant::NEVER
        };
        let regular = timers.checkpoint.min(timers.recovery_point);
        let regular = regular.min(timers.log_starts).min(timers.retention);
        let regular = regular.min(self.partitions.next_sync());
        regular.min(flush).min(idle).min(self.logs.retry_at)
    }

    /// Gives shard 0 the lines for those of the files whose time has come, where this shard's lines
    /// are others than before.
    fn checkpoint(&mut self, io: &mut Io<Mail>, due: CheckpointFiles) {
        if !due.offsets && !due.log_starts {
            return;
        }
        let (mut offsets, mut log_starts) = (0u64, 0u64);
        for partition in self.partitions.iter_mut() {
            offsets = offsets
                .wrapping_mul(31)
                .wrapping_add(partition.high_watermark.0.cast_unsigned())
                .wrapping_add(partition.log.recovery_point().0.cast_unsigned() << 1)
                .wrapping_add(1);
            log_starts = log_starts
                .wrapping_mul(31)
                .wrapping_add(partition.log.log_start_offset().0.cast_unsigned() << 2)
                .wrapping_add(1);
        }
        let has_moved = |before: &mut Option<u64>, sum| before.replace(sum) != Some(sum);
        let files = CheckpointFiles {
            offsets: due.offsets && has_moved(&mut self.checkpointed.offsets, offsets),
            log_starts: due.log_starts && has_moved(&mut self.checkpointed.log_starts, log_starts),
        };
        if files.offsets || files.log_starts {
            let entries = self.checkpoint_entries();
            let mail = Mail::Checkpoint {
                core: self.core,
                entries,
                files,
                is_final: false,
            };
            self.pass(io, 0, mail);
        }
    }

    /// A log is gone: the files must not say of the next one by its name what was true of this one.
    pub(super) fn checkpoint_soon(&mut self, now: Instant) {
        self.timers.checkpoint = now;
        self.timers.log_starts = now;
    }

    /// Shard 0: takes a shard's entries, and writes the files of each directory.
    pub(super) fn on_checkpoint(
        &mut self,
        io: &mut Io<Mail>,
        core: usize,
        entries: Vec<CheckpointEntry>,
        files: CheckpointFiles,
        is_final: bool,
    ) {
        let Some(control) = self.control.as_mut() else {
            return;
        };
        control.checkpoints[core] = Some(entries);
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
            let mut recovery_points = OffsetCheckpoint::new();
            let mut log_starts = OffsetCheckpoint::new();
            let mut high_watermarks = OffsetCheckpoint::new();
            let entries = control.checkpoints.iter().flatten().flatten();
            for entry in entries.filter(|entry| entry.directory == place) {
                let key = || (entry.topic.to_string(), PartitionIndex(entry.partition));
                recovery_points.insert(key(), entry.recovery_point);
                high_watermarks.insert(key(), entry.high_watermark);
                // Only where it cannot be told from the first segment's name.
                if entry.log_start_offset > entry.first_segment_offset {
                    log_starts.insert(key(), entry.log_start_offset);
                }
            }
            for (name, content, is_due) in [
                (checkpoint::RECOVERY_POINT, &recovery_points, files.offsets),
                (checkpoint::LOG_START_OFFSET, &log_starts, files.log_starts),
                (
                    checkpoint::REPLICATION_OFFSET,
                    &high_watermarks,
                    files.offsets,
                ),
            ] {
                if !is_due {
                    continue;
                }
                let path = directory.path.join(name);
                if !waits {
                    io.replace_file(&path, checkpoint::content(content), None);
                } else if let Err(error) = checkpoint::write(io.disk(), &path, content) {
                    tracing::error!("{error}");
                }
            }
        }
    }
}
