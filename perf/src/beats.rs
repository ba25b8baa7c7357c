//! Heartbeats of many connections, each at moments of its own.

use crate::group_wire::{NONE, error_after_throttle};
use crate::links::Links;
use crate::machine::real;
use std::io;
use std::time::{Duration, Instant};

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What heartbeats found.
#[derive(Clone, Copy, Debug)]
pub struct Beats {
    /// How many were answered.
    pub count: u64,
    /// Until the answer: the mean, and the longest.
    pub mean_ms: f64,
    /// See there.
    pub longest_ms: f64,
}

/// Sends each connection's frame once in every interval, at a moment that has nothing to do with those of
/// others, unless its last one is not answered yet.
pub fn beat(
    links: &mut Links,
    frames: &[Vec<u8>],
    duration: Duration,
    interval: Duration,
) -> io::Result<Beats> {
    let count = frames.len();
    let moments = moments(count, interval);
    let start = Instant::now();
    let mut sent: Vec<Option<Instant>> = vec![None; count];
    let (mut next, mut lap) = (0, Duration::ZERO);
    let (mut open, mut answered) = (0_u64, 0_u64);
    let (mut sum, mut longest) = (Duration::ZERO, Duration::ZERO);
    loop {
        let passed = start.elapsed();
        let sending = passed < duration;
        while sending && lap + moments[next].0 <= passed {
            let index = moments[next].1;
            if sent[index].is_none() {
                sent[index] = Some(Instant::now());
                links.send(index, &frames[index])?;
                open += 1;
            }
            next += 1;
            if next == count {
                next = 0;
                lap += interval;
            }
        }
        if !sending && open == 0 {
            break;
        }
        let until = if sending {
            (lap + moments[next].0).saturating_sub(passed)
        } else {
            PATIENCE
        };
        for reply in links.replies(until)? {
            let error = error_after_throttle(&reply.body)?;
            if error != NONE {
                return Err(io::Error::other(format!(
                    "Heartbeat was answered with error code {error}"
                )));
            }
            let Some(at) = sent[reply.link].take() else {
                return Err(io::Error::other("a reply that nobody asked for"));
            };
            let took = at.elapsed();
            sum += took;
            longest = longest.max(took);
            open -= 1;
            answered += 1;
        }
    }
    Ok(Beats {
        count: answered,
        mean_ms: sum.as_secs_f64() * 1e3 / real(answered.max(1)),
        longest_ms: longest.as_secs_f64() * 1e3,
    })
}

/// Moments within an interval, as unrelated as those of processes that started by themselves, the same each
/// time; and whose they are.
fn moments(count: usize, interval: Duration) -> Vec<(Duration, usize)> {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut moments: Vec<(Duration, usize)> = (0..count)
        .map(|index| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let part = u32::try_from(random >> 40).expect("24 bits");
            (interval * part / (1 << 24), index)
        })
        .collect();
    moments.sort_unstable();
    moments
}
