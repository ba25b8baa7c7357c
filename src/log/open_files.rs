//! Which of a log's files are open: those that are in use, and those with records that are not durable. An error of a file's
//! writeback is told to who has it open, so that what was written is synced before its file is let go.

use crate::log::error::StorageError;
use crate::log::partition_log::Log;
use crate::runtime::disk::Disk;

/// What came of letting go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LetGo {
    /// How many files were closed.
    pub closed: usize,
    /// Whether others are open that can be closed after a sync.
    pub wants_sync: bool,
}

impl Log {
    /// Has the file open that what is queued is written to, if descriptors are left to spare.
    ///
    /// # Errors
    /// What the file system said. Where [`StorageError::is_out_of_descriptors`] says so, what is queued can be written later.
    pub fn open_for_write(&self, disk: &Disk) -> Result<(), StorageError> {
        self.active().spare_file(self.place(disk)).map(drop)
    }

    /// The same with the last descriptors of the process.
    ///
    /// # Errors
    /// As [`Log::open_for_write`].
    pub fn open_for_write_at_last(&self, disk: &Disk) -> Result<(), StorageError> {
        self.active().file(self.place(disk)).map(drop)
    }

    /// Whether nothing is being written, and all that was is durable. What is queued finds its file again.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.is_writing() && self.synced_to >= self.log_end_offset
    }

    /// Closes the files that can be opened again when somebody asks for them.
    pub fn let_go_of_files(&mut self) -> LetGo {
        let active = self.segments.len() - 1;
        let is_at_rest = self.is_at_rest();
        let mut let_go = LetGo {
            closed: 0,
            wants_sync: false,
        };
        for index in 0..=active {
            let is_durable = if index == active {
                is_at_rest
            } else {
                self.end_of_segment(index) <= self.synced_to
            };
            let segment = &mut self.segments[index];
            if is_durable {
                let_go.closed += usize::from(segment.let_go_of_file());
            } else {
                let_go.wants_sync |= segment.has_file();
            }
        }
        let_go
    }

    /// Closes the files of a log that will not be written again before all of its file system is synced.
    pub fn let_go_before_sync(&mut self) {
        for segment in &mut self.segments {
            segment.let_go_of_file();
        }
    }
}
