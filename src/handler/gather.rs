//! What several cores are asked for one request, gathered until the last of them has answered.
//!
//! ```text
//!   the request:   place 0     place 1     place 2     place 3
//!                  refused     core 1      core 0      core 1      ask / answer
//!                     │           └───────────┼───────────┤
//!   one work each:    │                  [2] to core 0  [1, 3] to core 1      send
//!                     │                       │           │
//!   the answers:   place 0     place 1     place 2     place 3     receive; then into_answers
//! ```
//! A request is taken apart into places, in its own order. What is known at once is put there at
//! once; the rest travels with its place, in one [`Work`] per core, and comes back by it.

use super::Context;
use crate::base::ids::TopicPartition;
use crate::partition::placement::owner;
use crate::partition::work::{Placed, RequestId, Work};

/// The answers of one request.
pub(super) struct Gather<A> {
    /// Those that are there; in the order of their places once all are.
    answers: Vec<A>,
    places: usize,
    cores_to_answer: usize,
}

/// What a request asks of the cores, before it is sent.
pub(super) struct Questions<E, A> {
    /// What each core is asked.
    shares: Vec<Vec<E>>,
    answers: Vec<A>,
    places: usize,
}

impl<E, A: Placed> Questions<E, A> {
    /// Nothing asked yet, of any core.
    pub(super) fn new(context: &Context<'_>) -> Questions<E, A> {
        Questions {
            shares: (0..context.cores).map(|_| Vec::new()).collect(),
            answers: Vec::new(),
            places: 0,
        }
    }

    /// Fills the next place with what is known already; `make` is given the place.
    pub(super) fn answer(&mut self, make: impl FnOnce(usize) -> A) {
        let place = self.take_place();
        push(&mut self.answers, make(place));
    }

    /// Leaves the next place to the owner of a partition; `make` is given the place.
    pub(super) fn ask(&mut self, of: TopicPartition, make: impl FnOnce(usize) -> E) {
        self.ask_core(owner(of, self.shares.len()), make);
    }

    /// Leaves the next place to a core; `make` is given the place.
    pub(super) fn ask_core(&mut self, core: usize, make: impl FnOnce(usize) -> E) {
        let place = self.take_place();
        push(&mut self.shares[core], make(place));
    }

    fn take_place(&mut self) -> usize {
        self.places += 1;
        self.places - 1
    }

    /// Sends each core its share, as one piece of work.
    pub(super) fn send(
        self,
        context: &mut Context<'_>,
        request: RequestId,
        work: impl Fn(Vec<E>) -> Work,
    ) -> Gather<A> {
        let origin = context.origin(request);
        let mut cores_to_answer = 0;
        for (core, share) in self.shares.into_iter().enumerate() {
            if !share.is_empty() {
                context.outbox.works.push((core, origin, work(share)));
                cores_to_answer += 1;
            }
        }
        Gather {
            answers: self.answers,
            places: self.places,
            cores_to_answer,
        }
    }
}

/// Most requests are about one partition: room for four, which a list begins with, is memory that
/// is not in the cache.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.capacity() == 0 {
        list.reserve_exact(1);
    }
    list.push(item);
}

impl<A: Placed> Gather<A> {
    /// Nothing asked, nothing to wait for.
    pub(super) fn empty() -> Gather<A> {
        Gather {
            answers: Vec::new(),
            places: 0,
            cores_to_answer: 0,
        }
    }

    /// Takes the answers of one core. Most requests ask one alone: its list is theirs.
    pub(super) fn receive(&mut self, answers: Vec<A>) {
        assert!(self.cores_to_answer > 0, "every core answers once");
        self.cores_to_answer -= 1;
        if self.answers.is_empty() {
            self.answers = answers;
        } else {
            self.answers.extend(answers);
        }
        if self.is_complete() {
            // Each core's are in order, so that this merges a few runs.
            self.answers.sort_by_key(Placed::at);
            let places = self.answers.iter().map(Placed::at);
            assert!(places.eq(0..self.places), "a place is answered once");
        }
    }

    /// Whether every core has answered.
    pub(super) fn is_complete(&self) -> bool {
        self.cores_to_answer == 0
    }

    /// The answers that are there; in the order of their places once all are.
    pub(super) fn answers(&self) -> impl Iterator<Item = &A> {
        self.answers.iter()
    }

    /// All answers, in the order of their places.
    pub(super) fn into_answers(self) -> impl Iterator<Item = A> {
        assert!(self.is_complete(), "a core has not answered yet");
        self.answers.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Answer(usize, &'static str);

    impl Placed for Answer {
        fn at(&self) -> usize {
            self.0
        }
    }

    fn asked_of_two_cores() -> Gather<Answer> {
        Gather {
            answers: vec![Answer(0, "known")],
            places: 4,
            cores_to_answer: 2,
        }
    }

    #[test]
    fn answers_stand_where_they_were_asked_whoever_is_first() {
        for second_core_is_first in [false, true] {
            let mut gather = asked_of_two_cores();
            let mut cores = vec![vec![Answer(2, "c")], vec![Answer(3, "d"), Answer(1, "b")]];
            if second_core_is_first {
                cores.reverse();
            }
            for answers in cores {
                assert!(!gather.is_complete());
                gather.receive(answers);
            }
            assert!(gather.is_complete());
            let words: Vec<&str> = gather.into_answers().map(|answer| answer.1).collect();
            assert_eq!(words, ["known", "b", "c", "d"]);
        }
    }

    #[test]
    fn nothing_asked_is_complete() {
        let gather: Gather<Answer> = Gather::empty();
        assert!(gather.is_complete());
        assert_eq!(gather.into_answers().count(), 0);
    }

    #[test]
    #[should_panic(expected = "a place is answered once")]
    fn every_place_is_answered() {
        let mut gather = asked_of_two_cores();
        gather.receive(vec![Answer(1, "b")]);
        gather.receive(vec![Answer(2, "c")]);
    }

    #[test]
    #[should_panic(expected = "a place is answered once")]
    fn a_place_is_not_answered_twice() {
        let mut gather = asked_of_two_cores();
        gather.receive(vec![Answer(1, "b")]);
        gather.receive(vec![Answer(1, "b"), Answer(2, "c")]);
    }
}
