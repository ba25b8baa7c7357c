//! What the kernel works on for a core: each operation with all that it may touch, from its start to its
//! completion.
//!
//! A buffer or file that the kernel was given stays in its [`Operation`] until the completion
//! arrives, whatever becomes of the connection meanwhile.

use super::away::{Away, Ended};
use super::cold::Pipe;
use super::core::{NativeCore, Outcome, place};
use super::replace::{Progress, Replacement};
use super::ring::{Completion, Kind, user_data};
use crate::runtime::disk::File;
use crate::runtime::io::SocketId;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Something that the kernel works on, with all that it may touch.
pub enum Operation {
    Sync {
        _file: Arc<File>,
        token: u64,
    },
    SyncDirectory {
        _directory: std::fs::File,
        token: u64,
    },
    Warm {
        _file: Arc<File>,
        _buffer: Vec<u8>,
        token: u64,
    },
    Splice {
        _file: Arc<File>,
        pipe: Pipe,
        socket: SocketId,
    },
    Write(Away),
    Trim {
        file: Arc<File>,
        bytes: u64,
    },
    Replace(Box<Replacement>),
    Unlink {
        path: std::ffi::CString,
        then: Option<PathBuf>,
    },
}

/// Something to be removed.
pub enum Removal {
    File(PathBuf),
    /// With all below it.
    Directory(PathBuf),
}

/// The operations of a core, by the index that their completions carry.
#[derive(Default)]
pub struct Operations {
    running: Vec<Option<Operation>>,
    free: Vec<u32>,
}

impl Operations {
    fn keep(&mut self, operation: Operation) -> u32 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.running.push(None);
            u32::try_from(self.running.len() - 1).expect("bounded by what is in flight")
        });
        self.running[place(index)] = Some(operation);
        index
    }

    fn take(&mut self, index: u32) -> Operation {
        let operation = self.running[place(index)].take();
        self.free.push(index);
        operation.expect("an operation completes once")
    }
}

impl NativeCore {
    pub(super) fn start(&mut self, operation: Operation, entry: io_uring::squeue::Entry) {
        let index = self.operations.keep(operation);
        self.ring
            .push(&entry.user_data(user_data(Kind::Operation, 0, index)));
    }

    /// Whether the kernel still works on something that must not be abandoned.
    pub fn has_operations(&self) -> bool {
        self.operations.free.len() < self.operations.running.len()
    }

    /// Whether a completion is of a file that is being replaced.
    pub(super) fn is_of_replacement(&self, completion: &Completion) -> bool {
        let operation = self.operations.running.get(place(completion.index));
        completion.kind == Kind::Operation && matches!(operation, Some(Some(Operation::Replace(_))))
    }

    /// Takes note of an operation's completion.
    pub(super) fn finish(&mut self, index: u32, result: i32) -> Outcome {
        let operation = self.operations.take(index);
        let outcome = if result < 0 {
            Err(io::Error::from_raw_os_error(-result))
        } else {
            Ok(())
        };
        match operation {
            Operation::Sync { token, .. } | Operation::SyncDirectory { token, .. } => {
                Outcome::Synced {
                    token,
                    result: outcome,
                }
            }
            Operation::Warm { token, .. } => Outcome::Warmed {
                token,
                result: outcome,
            },
            Operation::Splice { pipe, socket, .. } => self.on_filled(socket, pipe, result),
            Operation::Write(mut away) => match away.end(result) {
                Ended::More => {
                    let entry = away.entry();
                    self.start(Operation::Write(away), entry);
                    Outcome::Nothing
                }
                Ended::Done(result) => Outcome::Written {
                    token: away.token,
                    result,
                },
            },
            Operation::Trim { file, bytes } => {
                if result == -libc::EINVAL {
                    // A kernel before 6.9: it is done here and now.
                    let _ = file.set_len(bytes);
                }
                Outcome::Nothing // what could not be given back is given back at the clean stop
            }
            Operation::Replace(mut replacement) => match replacement.end(result) {
                Progress::More => {
                    let entry = replacement.entry();
                    self.start(Operation::Replace(replacement), entry);
                    Outcome::Nothing
                }
                Progress::Done(result) => self.on_replaced(&replacement, result),
            },
            Operation::Unlink { path, then } => {
                self.removing = false;
                match (outcome, then) {
                    (Ok(()), Some(directory)) => {
                        self.removals.push_front(Removal::Directory(directory));
                    }
                    (Ok(()), None) => {}
                    // Its directory was removed meanwhile, with all that was in it.
                    (Err(error), None) if error.kind() == io::ErrorKind::NotFound => {}
                    (Err(error), _) => {
                        tracing::warn!("{} was not removed: {error}", path.to_string_lossy());
                    }
                }
                self.remove_next();
                Outcome::Nothing
            }
        }
    }
}
