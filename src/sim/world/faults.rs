//! What goes wrong, and when it passes.

use super::{Process, World};
use crate::base::time::Instant;

/// Room on a healthy disk.
const FREE_BYTES: u64 = 1 << 40;

/// What is wrong with the world at the moment, or was a moment ago.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Weather {
    pub is_full: bool,
    pub is_cold: bool,
    pub syncs_fail: bool,
    /// The file system cannot be synced when the process stops.
    pub stop_is_unsynced: bool,
    /// Some fault, start or stop of this life: partitions may refuse.
    pub is_rough: bool,
    /// Until then answers from before may still arrive.
    pub rough_until: Instant,
}

impl World {
    /// Lets a fault pass, or another begin.
    pub(super) fn run_faults(&mut self) {
        // The disk is cold for one read: the one that follows the warming finds the pages.
        if self.weather.is_cold && self.prng.one_in(10) {
            self.simulation.disk().set_reads_are_cold(true);
        }
        if let Some(end) = self.fault_ends {
            if self.iterations >= end {
                self.fault_ends = None;
                self.heal();
            }
            return;
        }
        if self.faults_left == 0 || self.iterations < self.next_fault {
            return;
        }
        self.next_fault = self.iterations + 50 + self.prng.below(600);
        self.faults_left -= 1;
        let lasts = 30 + self.prng.below(300);
        let is_up = matches!(self.process, Process::Up);
        match self.prng.below(13) {
            0..=3 if is_up => self.kill(),
            4 | 5 if is_up => {
                if self.prng.one_in(3) {
                    self.note("what it leaves cannot be synced");
                    self.simulation.disk().set_file_system_syncs_fail(true);
                    self.weather.stop_is_unsynced = true;
                }
                self.ask_to_stop();
            }
            6 => {
                let free = self.prng.below(4000);
                self.note(&format!("the disk has {free} bytes left"));
                self.simulation.disk().set_free_bytes(free);
                self.weather.is_full = true;
                self.weather.is_rough = true;
                self.report.full_disks += 1;
                self.fault_ends = Some(self.iterations + lasts);
            }
            7 => {
                self.note("syncs fail");
                self.simulation.disk().set_syncs_fail(true);
                self.weather.syncs_fail = true;
                self.weather.is_rough = true;
                self.report.failed_syncs += 1;
                self.fault_ends = Some(self.iterations + lasts);
            }
            8 => {
                self.note("pages are cold");
                self.weather.is_cold = true;
                self.report.cold_pages += 1;
                self.fault_ends = Some(self.iterations + lasts);
            }
            9 | 10 => {
                self.note("writes are slow");
                self.simulation.disk().set_writes_are_slow(true);
                self.report.slow_writes += 1;
                self.fault_ends = Some(self.iterations + lasts);
            }
            11 => {
                let most = self.prng.below(12);
                self.note(&format!("{most} files may be open"));
                self.simulation.disk().set_open_files_max(most);
                self.weather.is_rough = true;
                self.report.few_descriptors += 1;
                self.fault_ends = Some(self.iterations + lasts);
            }
            _ => self.disconnect_somebody(),
        }
    }

    /// A client gives up its connection.
    fn disconnect_somebody(&mut self) {
        self.report.disconnects += 1;
        let clients = self.clients();
        let chosen = self.prng.index(clients);
        self.scene(|scene, clients| {
            let producers = clients.producers.len();
            let others = producers + clients.members.len();
            let link = match chosen.checked_sub(1) {
                None => &mut clients.admin.link,
                Some(index) if index < producers => &mut clients.producers[index].link,
                Some(index) if index < others => &mut clients.members[index - producers].link,
                Some(index) => &mut clients.consumers[index - others].link,
            };
            link.drop_connection(scene);
        });
    }

    /// The disk is well again. What went offline comes back with the next start.
    fn heal(&mut self) {
        self.note("the disk is well again");
        self.simulation.disk().set_free_bytes(FREE_BYTES);
        self.simulation.disk().set_syncs_fail(false);
        self.simulation.disk().set_reads_are_cold(false);
        self.simulation.disk().set_writes_are_slow(false);
        self.simulation.disk().set_open_files_max(u64::MAX);
        self.weather.is_full = false;
        self.weather.is_cold = false;
        if std::mem::take(&mut self.weather.syncs_fail) && matches!(self.process, Process::Up) {
            if self.prng.one_in(2) {
                self.kill();
            } else {
                self.ask_to_stop();
            }
        }
    }
}
