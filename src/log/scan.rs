//! Walks the batches of a segment file: from header to header where only those matter, or batch by
//! batch in large sequential reads with every checksum compared.

use crate::base::convert::{u64_from, usize_from};
use crate::base::ids::Offset;
use crate::base::limits::RECOVERY_READ_BYTES;
use crate::log::error::{ReadError, StorageError};
use crate::log::index_file::Patience;
use crate::record::batch::{BatchHeader, CHECKSUM_START, HEADER_BYTES};
use crate::record::checksum::crc32c;
use crate::runtime::disk::{File, Resident};
use std::path::Path;
use std::sync::Arc;

/// Bytes read at a time while walking headers: at least one interval of the index.
const CHUNK_BYTES: usize = 8192;

/// A part of a segment file: what is below `end` is batches.
#[derive(Clone, Copy)]
pub struct Extent<'f> {
    /// The segment.
    pub file: &'f Arc<File>,
    /// Its path, for errors.
    pub path: &'f Path,
    /// Bytes of it that hold batches.
    pub end: u64,
}

/// Where a walk from header to header ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Walk {
    /// The visitor stopped it at this batch.
    Found {
        /// Byte at which the batch starts.
        position: u64,
        /// Its header.
        header: BatchHeader,
    },
    /// Every batch was visited; the last one ends where the extent does.
    End,
    /// At this byte is no batch, or one that reaches beyond the extent.
    Broken {
        /// The byte.
        position: u64,
    },
}

impl Extent<'_> {
    /// Visits headers from `position` on, until `visit` says "this one".
    ///
    /// # Errors
    /// `ReadError::Cold` where that is the patience, or what the file system said.
    pub fn walk(
        &self,
        mut position: u64,
        patience: Patience,
        mut visit: impl FnMut(u64, &BatchHeader) -> bool,
    ) -> Result<Walk, ReadError> {
        let mut chunk = [0; CHUNK_BYTES];
        let mut chunk_start = position;
        let mut chunk_bytes = 0;
        while position < self.end {
            if position + u64_from(HEADER_BYTES) > self.end {
                return Ok(Walk::Broken { position });
            }
            let end = chunk_start + u64_from(chunk_bytes);
            if position + u64_from(HEADER_BYTES) > end {
                chunk_start = position;
                chunk_bytes = self.read_chunk(position, &mut chunk, patience)?;
                if chunk_bytes < HEADER_BYTES {
                    return Ok(Walk::Broken { position });
                }
            }
            let at = usize_from(position - chunk_start);
            let Ok(header) = BatchHeader::read(&chunk[at..chunk_bytes]) else {
                return Ok(Walk::Broken { position });
            };
            let next = position + u64_from(header.batch_bytes());
            if next > self.end || !is_plausible(&header) {
                return Ok(Walk::Broken { position });
            }
            if visit(position, &header) {
                return Ok(Walk::Found { position, header });
            }
            position = next;
        }
        Ok(Walk::End)
    }

    /// Reads up to a chunk, at least a header unless the file ends before.
    fn read_chunk(
        &self,
        position: u64,
        chunk: &mut [u8],
        patience: Patience,
    ) -> Result<usize, ReadError> {
        let left = usize_from(self.end - position);
        let wanted = chunk.len().min(left);
        let failed = |error| StorageError::io("read", self.path, error);
        let buffer = &mut chunk[..wanted];
        match patience {
            Patience::Wait => Ok(self.file.read_at(position, buffer).map_err(failed)?),
            Patience::Resident => {
                let read = match self.file.read_resident(position, buffer).map_err(failed)? {
                    Resident::Read(read) => read,
                    Resident::Cold => 0,
                };
                if read < HEADER_BYTES && !self.is_end(position + u64_from(read))? {
                    return Err(ReadError::Cold {
                        file: Arc::clone(self.file),
                        position,
                        bytes: wanted,
                    });
                }
                Ok(read)
            }
        }
    }

    /// Whether the file has nothing at `position`: then waiting for it to be resident is in vain.
    fn is_end(&self, position: u64) -> Result<bool, StorageError> {
        match self.file.len() {
            Ok(bytes) => Ok(position >= bytes),
            Err(error) => Err(StorageError::io("read", self.path, error)),
        }
    }

    /// The bytes of the batch at `position`, whose header has been read.
    ///
    /// # Errors
    /// `ReadError::Cold` where that is the patience, or what the file system said.
    pub fn batch(
        &self,
        position: u64,
        header: &BatchHeader,
        patience: Patience,
    ) -> Result<Vec<u8>, ReadError> {
        let mut bytes = vec![0; header.batch_bytes()];
        let failed = |error| StorageError::io("read", self.path, error);
        let read = match patience {
            Patience::Wait => self.file.read_at(position, &mut bytes).map_err(failed)?,
            Patience::Resident => {
                let resident = self.file.read_resident(position, &mut bytes);
                match resident.map_err(failed)? {
                    Resident::Read(read) => read,
                    Resident::Cold => 0,
                }
            }
        };
        let is_short = read < bytes.len() && patience == Patience::Resident;
        if is_short && !self.is_end(position + u64_from(read))? {
            return Err(ReadError::Cold {
                file: Arc::clone(self.file),
                position: position + u64_from(read),
                bytes: bytes.len() - read,
            });
        }
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// What a header on disk must satisfy whoever wrote it.
fn is_plausible(header: &BatchHeader) -> bool {
    header.base_offset >= Offset(0)
        && header.last_offset_delta >= 0
        && header.last_offset() < Offset(i64::MAX)
}

/// Reads batches one after the other, whole, and compares their checksums.
pub struct Scanner<'f> {
    extent: Extent<'f>,
    position: u64,
    /// Bytes of the file from `buffer_start` on.
    buffer: Vec<u8>,
    buffer_start: u64,
    /// Bytes read so far.
    pub bytes_read: u64,
}

/// What a scanner found at its position.
pub enum Scanned<'s> {
    /// A batch with a good checksum.
    Batch {
        /// Its header.
        header: BatchHeader,
        /// All its bytes.
        bytes: &'s [u8],
    },
    /// The extent is read to its end.
    End,
    /// No good batch follows.
    Broken {
        /// What is wrong.
        why: &'static str,
    },
}

impl<'f> Scanner<'f> {
    /// Starts at `position`, where a batch starts.
    #[must_use]
    pub fn new(extent: Extent<'f>, position: u64) -> Scanner<'f> {
        Scanner {
            extent,
            position,
            buffer: Vec::new(),
            buffer_start: position,
            bytes_read: 0,
        }
    }

    /// Reads the next batch.
    ///
    /// # Errors
    /// What the file system said.
    pub fn next(&mut self) -> Result<Scanned<'_>, StorageError> {
        let position = self.position;
        let left = self.extent.end.saturating_sub(position);
        if left == 0 {
            return Ok(Scanned::End);
        }
        let broken = |why| Ok(Scanned::Broken { why });
        if left < u64_from(HEADER_BYTES) {
            return broken("a batch header that is cut off");
        }
        self.fill(HEADER_BYTES)?;
        let Ok(header) = BatchHeader::read(self.at_position()) else {
            return broken("no header of a record batch");
        };
        if u64_from(header.batch_bytes()) > left {
            return broken("a batch that is cut off");
        }
        if !is_plausible(&header) {
            return broken("a batch with impossible offsets");
        }
        let batch_bytes = header.batch_bytes();
        self.fill(batch_bytes)?;
        let Some(bytes) = self.at_position().get(..batch_bytes) else {
            return broken("a batch that is cut off");
        };
        if crc32c(&bytes[CHECKSUM_START..]) != header.crc {
            return broken("a batch with a wrong checksum");
        }
        self.position = position + u64_from(batch_bytes);
        let start = usize_from(position - self.buffer_start);
        Ok(Scanned::Batch {
            header,
            bytes: &self.buffer[start..start + batch_bytes],
        })
    }

    fn at_position(&self) -> &[u8] {
        &self.buffer[usize_from(self.position - self.buffer_start)..]
    }

    /// Makes at least `bytes` from the position on lie in the buffer; fewer where the file ends.
    fn fill(&mut self, bytes: usize) -> Result<(), StorageError> {
        if self.at_position().len() >= bytes {
            return Ok(());
        }
        let consumed = usize_from(self.position - self.buffer_start);
        self.buffer.drain(..consumed);
        self.buffer_start = self.position;
        let left = usize_from(self.extent.end - self.position);
        let target = left.min(bytes.max(RECOVERY_READ_BYTES));
        let have = self.buffer.len();
        self.buffer.resize(target, 0);
        let read = self
            .extent
            .file
            .read_at(self.position + u64_from(have), &mut self.buffer[have..])
            .map_err(|error| StorageError::io("read", self.extent.path, error))?;
        self.buffer.truncate(have + read);
        self.bytes_read += u64_from(read);
        Ok(())
    }
}
