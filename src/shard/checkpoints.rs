//! The regular work of a shard, and the checkpoint files, which shard 0 writes for all.

use super::mail::{CheckpointEntry, Mail};
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
        let mut timers = Timers {
            checkpoint: now,
            recovery_point: now,
            retention: now,
            idle_connections: now,
        };
        timers.checkpoint = now + checkpoint_interval(configuration);
        timers.recovery_point = now + recovery_point_interval(configuration);
        timers.retention = now + milliseconds(configuration.log_initial_task_delay_ms());
        timers.idle_connections = now + IDLE_CHECK;
        timers
    }
}

fn checkpoint_interval(configuration: &Configuration) -> Duration {
    milliseconds(configuration.replica_high_watermark_checkpoint_interval_ms())
}

fn recovery_point_interval(configuration: &Configuration) -> Duration {
    milliseconds(i64::from(
        configuration.log_flush_offset_checkpoint_interval_ms(),
    ))
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
            self.move_recovery_points(io);
            self.partitions.sync_due(io, true);
        }
        if now >= self.timers.checkpoint {
            self.timers.checkpoint = now + checkpoint_interval(&self.configuration);
            self.partitions.sync_due(io, false);
            self.snapshot_if_due(io);
            if self.has_moved() {
                let entries = self.checkpoint_entries();
                let mail = Mail::Checkpoint {
                    core: self.core,
                    entries,
                    is_final: false,
                };
                self.pass(io, 0, mail);
            }
        }
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
        }
    }

    /// Whether any log has changed since the last checkpoint: an idle broker writes nothing.
    fn has_moved(&mut self) -> bool {
        let mut sum = 0u64;
        for partition in self.partitions.iter_mut() {
            sum = sum
                .wrapping_mul(31)
                .wrapping_add(partition.high_watermark.0.cast_unsigned())
                .wrapping_add(partition.log.recovery_point().0.cast_unsigned() << 1)
                .wrapping_add(partition.log.log_start_offset().0.cast_unsigned() << 2)
                .wrapping_add(1);
        }
        std::mem::replace(&mut self.checkpoint_sum, sum) != sum
    }

    /// Shard 0: takes a shard's entries, and writes the files of each directory.
    pub(super) fn on_checkpoint(
        &mut self,
        io: &mut Io<Mail>,
        core: usize,
        entries: Vec<CheckpointEntry>,
        is_final: bool,
    ) {
        let Some(control) = self.control.as_mut() else {
            return;
        };
        control.checkpoints[core] = entries;
        if is_final {
            control.shards_closed += 1;
        }
        // While the shards stop, the last of them completes the files.
        if self.phase == Phase::Serving || control.shards_closed == self.cores {
            self.write_checkpoints(io);
        }
        self.stop_if_closed(io);
    }

    fn write_checkpoints(&mut self, io: &Io<Mail>) {
        let Some(control) = self.control.as_ref() else {
            return;
        };
        for (place, directory) in self.logs.directories.list.iter().enumerate() {
            let mut recovery_points = OffsetCheckpoint::new();
            let mut log_starts = OffsetCheckpoint::new();
            let mut high_watermarks = OffsetCheckpoint::new();
            let entries = control.checkpoints.iter().flatten();
            for entry in entries.filter(|entry| entry.directory == place) {
                let key = || (entry.topic.to_string(), PartitionIndex(entry.partition));
                recovery_points.insert(key(), entry.recovery_point);
                high_watermarks.insert(key(), entry.high_watermark);
                // Only where it cannot be told from the first segment's name.
                if entry.log_start_offset > entry.first_segment_offset {
                    log_starts.insert(key(), entry.log_start_offset);
                }
            }
            for (name, content) in [
                (checkpoint::RECOVERY_POINT, &recovery_points),
                (checkpoint::LOG_START_OFFSET, &log_starts),
                (checkpoint::REPLICATION_OFFSET, &high_watermarks),
            ] {
                let path = directory.path.join(name);
                if let Err(error) = checkpoint::write(io.disk(), &path, content) {
                    tracing::error!("{error}");
                }
            }
        }
    }
}
