//! Answers leave in the order of their requests, whatever order they become ready in.

use super::Outgoing;
use crate::runtime::disk::FileSlice;
use bytes::Bytes;
use std::collections::VecDeque;

/// The place of one request in its connection's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(u64);

/// An answer, ready to be sent: memory, with file slices in between.
#[derive(Debug, Default)]
pub struct Reply {
    /// The frame, with its size, but without what lies in files.
    pub bytes: Bytes,
    /// What lies in files, each with the place in `bytes` that it comes before.
    pub files: Vec<(usize, FileSlice)>,
}

impl Reply {
    /// Bytes of it that lie in files.
    #[must_use]
    pub fn file_bytes(&self) -> usize {
        self.files.iter().map(|(_, slice)| slice.bytes).sum()
    }
}

/// The answers that one connection owes.
#[derive(Debug, Default)]
pub struct Replies {
    slots: VecDeque<Slot>,
    first: u64,
    /// Of all that wait.
    request_bytes: usize,
    /// Of all that are ready.
    ready_bytes: usize,
}

#[derive(Debug)]
enum Slot {
    Waiting {
        request_bytes: usize,
    },
    Ready(Reply),
    /// A Produce with acks=0: nothing is sent, but the order stands.
    Silent,
}

impl Replies {
    /// Takes the next place in the order, for a request of so many bytes.
    pub fn begin(&mut self, request_bytes: usize) -> Ticket {
        self.request_bytes += request_bytes;
        self.slots.push_back(Slot::Waiting { request_bytes });
        Ticket(self.first + crate::base::convert::u64_from(self.slots.len() - 1))
    }

    /// Requests that have no answer yet, or whose answer waits for an earlier one.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.slots.len()
    }

    /// Bytes of the requests that have no answer yet.
    #[must_use]
    pub fn request_bytes(&self) -> usize {
        self.request_bytes
    }

    /// Bytes in memory of answers that wait for an earlier one.
    #[must_use]
    pub fn ready_bytes(&self) -> usize {
        self.ready_bytes
    }

    /// Answers a request (`None`: with nothing), and moves what may leave now to `outgoing`.
    pub fn finish(&mut self, ticket: Ticket, reply: Option<Reply>, outgoing: &mut Outgoing) {
        let place = ticket
            .0
            .checked_sub(self.first)
            .map(crate::base::convert::usize_from);
        let slot = place.and_then(|place| self.slots.get_mut(place));
        let slot = slot.expect("a ticket is finished once");
        if let Slot::Waiting { request_bytes } = slot {
            self.request_bytes -= *request_bytes;
        }
        self.ready_bytes += reply.as_ref().map_or(0, |reply| reply.bytes.len());
        *slot = reply.map_or(Slot::Silent, Slot::Ready);
        while let Some(Slot::Ready(_) | Slot::Silent) = self.slots.front() {
            if let Some(Slot::Ready(reply)) = self.slots.pop_front() {
                self.ready_bytes -= reply.bytes.len();
                outgoing.push(reply);
            }
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &'static str) -> Option<Reply> {
        Some(Reply {
            bytes: Bytes::from_static(text.as_bytes()),
            files: Vec::new(),
        })
    }

    #[test]
    fn answers_leave_in_request_order() {
        let mut replies = Replies::default();
        let mut outgoing = Outgoing::default();
        let tickets: Vec<Ticket> = (0..4).map(|_| replies.begin(10)).collect();
        assert_eq!((replies.request_bytes(), replies.ready_bytes()), (40, 0));
        replies.finish(tickets[2], reply("three"), &mut outgoing);
        assert_eq!((replies.request_bytes(), replies.ready_bytes()), (30, 5));
        replies.finish(tickets[1], None, &mut outgoing);
        assert_eq!(outgoing.memory_bytes(), 0);
        replies.finish(tickets[0], reply("one"), &mut outgoing);
        assert_eq!(outgoing.memory_bytes(), 8);
        assert_eq!(replies.waiting(), 1);
        assert_eq!((replies.request_bytes(), replies.ready_bytes()), (10, 0));
        replies.finish(tickets[3], reply("four"), &mut outgoing);
        assert_eq!(replies.waiting(), 0);
    }
}
