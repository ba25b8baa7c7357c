//! Which core a connection belongs on: the one that its requests are for, where that is always the same.
//!
//! A client keeps a connection of its own to the coordinator of its group, many producers write to one
//! partition, and the consumers of a large group read one or two. Where such a connection was accepted by
//! another core than the owner's, each request wakes two cores and crosses between them twice. So it is
//! handed over to the owner, once, as soon as it has nothing under way.

use std::ops::ControlFlow;

/// So many requests in a row for one other core, and the connection is handed over to it.
const REQUESTS_BEFORE_HAND_OVER: u8 = 16;
/// A request for a group counts as so many: a client asks its coordinator nothing for others, and seldom.
const REQUESTS_OF_GROUPS: u8 = 4;
/// An answer with so many bytes of files is work enough to be done anywhere: the readers of one partition
/// who catch up are served by all cores, and not drawn to its owner.
const FILE_BYTES_OF_A_READER: usize = 64 << 10;

/// What a connection's last requests had in common.
#[derive(Clone, Copy, Debug, Default)]
pub struct Affinity {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// No request for partitions or groups was seen.
    #[default]
    Unknown,
    /// The last `count` ones were for this core alone.
    Of { core: usize, count: u8 },
}

impl Affinity {
    /// A request was begun, and its work went to the owners of partitions on these cores, and to groups
    /// on those; to none, where it could be answered without any.
    pub fn note(
        &mut self,
        of_partitions: impl Iterator<Item = usize>,
        of_groups: impl Iterator<Item = usize>,
    ) {
        let mut weight = 1;
        let of_groups = of_groups.inspect(|_| weight = REQUESTS_OF_GROUPS);
        let mut cores = of_partitions.chain(of_groups);
        let same = cores.try_fold(None, |first, core| match first {
            Some(other) if other != core => ControlFlow::Break(()),
            Some(_) | None => ControlFlow::Continue(Some(core)),
        });
        self.state = match (self.state, same) {
            (state, ControlFlow::Continue(None)) => state,
            (_, ControlFlow::Break(())) => State::Unknown,
            (State::Of { core, count }, ControlFlow::Continue(Some(now))) if core == now => {
                let count = count.saturating_add(weight);
                State::Of { core, count }
            }
            (_, ControlFlow::Continue(Some(core))) => State::Of {
                core,
                count: weight,
            },
        };
    }

    /// An answer leaves, with so many bytes of files.
    pub fn note_reply(&mut self, file_bytes: usize) {
        if file_bytes >= FILE_BYTES_OF_A_READER {
            self.state = State::Unknown;
        }
    }

    /// The core that it belongs on, if it has asked for long enough and that is not `here`.
    #[must_use]
    pub fn elsewhere(&self, here: usize) -> Option<usize> {
        match self.state {
            State::Of { core, count } if core != here && count >= REQUESTS_BEFORE_HAND_OVER => {
                Some(core)
            }
            State::Of { .. } | State::Unknown => None,
        }
    }

    /// That core has no room: it is asked again after as many requests.
    pub fn put_off(&mut self) {
        if let State::Of { count, .. } = &mut self.state {
            *count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(requests: &[impl AsRef<[usize]>]) -> Affinity {
        let mut affinity = Affinity::default();
        for cores in requests {
            affinity.note(cores.as_ref().iter().copied(), std::iter::empty());
        }
        affinity
    }

    #[test]
    fn it_moves_after_many_requests_for_one_other_core() {
        assert_eq!(after(&[[1]; 15]).elsewhere(0), None);
        assert_eq!(after(&[[1]; 16]).elsewhere(0), Some(1));
        assert_eq!(after(&[[1, 1]; 300]).elsewhere(0), Some(1));
        assert_eq!(after(&[[1]; 16]).elsewhere(1), None);
    }

    #[test]
    fn requests_for_nobody_change_nothing_and_mixed_ones_begin_anew() {
        let mut requests: Vec<&[usize]> = vec![&[1]; 8];
        requests.push(&[]);
        requests.extend([&[1][..]; 8]);
        assert_eq!(after(&requests).elsewhere(0), Some(1));
        requests[3] = &[1, 0];
        assert_eq!(after(&requests).elsewhere(0), None);
        requests[3] = &[0];
        assert_eq!(after(&requests).elsewhere(0), None);
    }

    #[test]
    fn a_group_is_reason_enough_after_four() {
        let mut affinity = Affinity::default();
        for count in 1..=4 {
            assert_eq!(affinity.elsewhere(0), None, "after {count}");
            affinity.note(std::iter::empty(), [1].into_iter());
        }
        assert_eq!(affinity.elsewhere(0), Some(1));
        affinity.note([0].into_iter(), [1].into_iter());
        assert_eq!(affinity.elsewhere(0), None);
    }

    #[test]
    fn one_that_was_put_off_or_reads_much_asks_again_later() {
        let mut affinity = after(&[[1]; 16]);
        affinity.put_off();
        assert_eq!(affinity.elsewhere(0), None);
        (0..16).for_each(|_| affinity.note([1].into_iter(), std::iter::empty()));
        assert_eq!(affinity.elsewhere(0), Some(1));
        affinity.note_reply(1 << 10);
        assert_eq!(affinity.elsewhere(0), Some(1));
        affinity.note_reply(1 << 20);
        assert_eq!(affinity.elsewhere(0), None);
    }
}
