//! The regular work of a shard.

use super::mail::{CheckpointFiles, Mail};
use super::{Phase, Shard};
use crate::base::time::{Instant, milliseconds};
use crate::config::Configuration;
use crate::runtime::io::Io;
use std::time::Duration;

/// How often it is looked for connections that have been idle for too long.
const IDLE_CHECK: Duration = Duration::from_secs(30);

/// When the regular work of a shard is due.
#[derive(Debug)]
pub(super) struct Timers {
    /// High watermarks are sent to shard 0.
    pub(super) checkpoint: Instant,
    /// First offsets are sent to shard 0.
    pub(super) log_starts: Instant,
    /// It is looked whether logs must be synced, where that has a time of its own.
    pub(super) flush: Instant,
    /// Read once: it is looked at in every turn.
    pub(super) flush_interval: Option<Duration>,
    /// Logs are synced and their recovery points move.
    pub(super) recovery_point: Instant,
    /// Old segments are deleted.
    pub(super) retention: Instant,
    /// Connections that have been idle for too long are closed.
    pub(super) idle_connections: Instant,
}

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
        self.partitions.make_room(io);
        if self.partitions.take_descriptors_short() {
            for core in (0..self.cores).filter(|&core| core != self.core) {
                io.mail(core, Mail::DescriptorsShort);
            }
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
        let is_due = now >= self.timers.retention;
        if is_due {
            let interval = self.configuration.log_retention_check_interval_ms();
            self.timers.retention = now + milliseconds(interval);
        }
        self.keep_house(io, is_due);
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
        let regular = regular.min(self.partitions.next_room());
        regular.min(flush).min(idle).min(self.logs.retry_at)
    }
}
