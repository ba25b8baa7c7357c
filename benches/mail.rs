//! Micro benchmarks of mail between two cores: there and back while the other sleeps, and a full
//! window. Each sample starts the two executors anew, some milliseconds of its time.

use divan::Bencher;
use divan::counter::ItemsCount;
use klamm::runtime::io::{Event, Io, Turn};
use klamm::runtime::native::drive::{Settings, run};
use klamm::runtime::native::process;

fn main() {
    divan::main();
}

/// Core 0 keeps `window` mails under way, core 1 sends each back.
struct Player {
    to_send: u32,
    to_come: u32,
    stopped: bool,
}

impl Player {
    fn new(io: &mut Io<u32>, mails: u32, window: u32) -> Player {
        if io.core() == 0 {
            // The first turn comes without an event.
            io.turn_again();
        }
        let first = window.min(mails);
        if io.core() == 0 {
            for mail in 0..first {
                io.mail(1, mail);
            }
        }
        Player {
            to_send: mails - first,
            to_come: mails,
            stopped: false,
        }
    }
}

impl Turn for Player {
    type Mail = u32;

    fn turn(&mut self, io: &mut Io<u32>) {
        let other = 1 - io.core();
        while let Some(event) = io.next_event() {
            match event {
                Event::Mail(mail) => {
                    self.to_come -= 1;
                    if io.core() == 1 {
                        io.mail(other, mail);
                    } else if self.to_send > 0 {
                        self.to_send -= 1;
                        io.mail(other, mail);
                    }
                }
                Event::Stop => self.stopped = true,
                Event::Accepted { .. }
                | Event::Readable(_)
                | Event::Writable(_)
                | Event::Synced { .. }
                | Event::Warmed { .. }
                | Event::Written { .. }
                | Event::Replaced { .. } => {}
            }
        }
        self.stopped |= self.to_come == 0;
    }

    fn is_stopped(&self) -> bool {
        self.stopped
    }
}

fn play(mails: u32, window: u32) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the runtime wants to know when the process began"
    )]
    let epoch = std::time::Instant::now();
    let settings = Settings {
        signals: None,
        listeners: Vec::new(),
        processors: process::cores().into_iter().take(2).collect(),
        send_buffer_bytes: None,
        receive_buffer_bytes: None,
        epoch,
    };
    run(settings, move |io| Ok(Player::new(io, mails, window))).expect("two shards run");
}

fn bench(bencher: Bencher<'_, '_>, mails: u32, window: u32) {
    if process::cores().len() < 2 {
        eprintln!("mail between cores wants two of them");
        return;
    }
    bencher
        .counter(ItemsCount::new(mails))
        .bench(|| play(mails, window));
}

/// One mail at a time: both cores fall asleep in between.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn there_and_back(bencher: Bencher<'_, '_>) {
    bench(bencher, 20_000, 1);
}

#[divan::bench(sample_count = 10, sample_size = 1, args = [16, 256])]
fn window(bencher: Bencher<'_, '_>, window: u32) {
    bench(bencher, 1_000_000, window);
}
