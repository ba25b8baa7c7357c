//! `klamm start`: a broker, from its configuration to its last sync.

use super::StartArguments;
use super::output::{Output, notice};
use crate::base::prng::Prng;
use crate::config::{Configuration, Sources};
use crate::runtime::disk::Disk;
use crate::runtime::native::drive::{self, Settings};
use crate::runtime::native::listen::Listening;
use crate::runtime::native::process;
use crate::shard::{Announcement, Start};
use std::process::ExitCode;
use std::sync::Arc;

/// Largest `server.properties` that is read.
const PROPERTIES_BYTES_MAX: usize = 16 << 20;

/// Runs a broker until it is told to stop.
#[must_use]
pub fn run(arguments: StartArguments) -> ExitCode {
    match start(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            notice(format!("klamm: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &StartArguments) -> Result<(), String> {
    let clock = process::Clock::start();
    process::log_to_standard_error();
    let mut configuration = configure(arguments)?;
    let signals =
        process::Signals::take().map_err(|error| format!("signals cannot be received: {error}"))?;
    process::raise_open_files_limit();
    process::check_io_uring().map_err(|unfit| unfit.to_string())?;
    let processors = processors(&configuration)?;
    let listeners = listen(&mut configuration)?;
    let disk = Disk::Native;
    let now = clock.now();
    let mut prng = Prng::new(process::random());
    let settings = Settings {
        listeners,
        processors,
        send_buffer_bytes: buffer_bytes(&configuration, "socket.send.buffer.bytes"),
        receive_buffer_bytes: buffer_bytes(&configuration, "socket.receive.buffer.bytes"),
        signals: Some(signals),
        epoch: clock.epoch(),
    };
    let addresses = addresses(&configuration);
    let announce = move |announcement: &Announcement| announce(&addresses, announcement);
    let start = Start::prepare(&disk, configuration, now, &mut prng, announce)?;
    let start = Arc::new(start);
    drive::run(settings, move |io| start.build(io)).map_err(|unfit| unfit.to_string())
}

/// Reads the configuration, and says what is worth saying once.
pub(super) fn configure(arguments: &StartArguments) -> Result<Configuration, String> {
    let file = match &arguments.properties {
        Some(path) => {
            let name = path.display().to_string();
            let read = Disk::Native.read(path, PROPERTIES_BYTES_MAX);
            let bytes = read.map_err(|error| {
                format!("{name} cannot be read: {error}; name the file that holds the settings")
            })?;
            Some((name, bytes))
        }
        None => None,
    };
    let environment = process::environment();
    let sources = Sources {
        file: file
            .as_ref()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice())),
        environment: &environment,
        overrides: &arguments.overrides,
    };
    let (configuration, notices) =
        Configuration::load(&sources, arguments.strict).map_err(|errors| errors.to_string())?;
    for said in notices {
        notice(format!("klamm: {said}"));
    }
    Ok(configuration)
}

/// The processors that shards are pinned to: as many as configured, of those this process may use.
fn processors(configuration: &Configuration) -> Result<Vec<usize>, String> {
    let mut processors = process::cores();
    if let Some(wanted) = configuration.cores() {
        if wanted == 0 || wanted > processors.len() {
            return Err(format!(
                "klamm.cores: {wanted} cores are asked for, and this process may use 1 to {}; see: \
                 taskset -p $$",
                processors.len()
            ));
        }
        processors.truncate(wanted);
    }
    Ok(processors)
}

/// Binds every listener, and lets the configuration know what it bound: advertised ports, and this
/// machine's name where clients shall be told no other.
fn listen(configuration: &mut Configuration) -> Result<Vec<Listening>, String> {
    let backlog = configuration.socket_listen_backlog_size();
    let mut bound = Vec::new();
    for listener in configuration.listeners() {
        let host = (!listener.binds_all()).then_some(listener.host.as_str());
        let listening = Listening::bind(host, listener.port, backlog);
        bound.push(listening.map_err(|unfit| unfit.to_string())?);
    }
    let ports: Vec<u16> = bound.iter().map(Listening::port).collect();
    configuration.set_bound(&ports, &process::host_name());
    Ok(bound)
}

/// A socket buffer as it was configured. Where nobody did, the kernel sizes it by what the connection
/// needs, which Kafka's default of 100 KiB would forbid.
fn buffer_bytes(configuration: &Configuration, key: &str) -> Option<usize> {
    configuration.origin(key)?;
    let bytes = configuration.value(key).number()?;
    usize::try_from(bytes).ok().filter(|bytes| *bytes > 0)
}

fn addresses(configuration: &Configuration) -> String {
    let names: Vec<String> = configuration
        .listeners()
        .iter()
        .map(|listener| format!("{}://{}", listener.name, listener.address()))
        .collect();
    names.join(", ")
}

/// The five lines that a broker says of itself.
fn announce(addresses: &str, announcement: &Announcement) {
    let directories: Vec<String> = announcement
        .directories
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let took = announcement.took.as_secs_f64() * 1000.0;
    let plural = if announcement.logs == 1 { "" } else { "s" };
    let mut recovery = format!("{} log{plural} in {took:.0} ms", announcement.logs);
    if announcement.scanned_bytes > 0 {
        recovery += &format!(
            "; the last stop was not clean: {} bytes checked, {} cut off",
            announcement.scanned_bytes, announcement.truncated_bytes
        );
    }
    let mut output = Output::standard();
    let said = output.line(format!(
        "klamm {}\nlisteners  {addresses}\ncores      {} (one shard each)\ndata       {} (cluster {})\nrecovered  {recovery}",
        env!("CARGO_PKG_VERSION"),
        announcement.cores,
        directories.join(", "),
        announcement.cluster_id,
    ));
    // A closed standard output is no reason not to serve.
    drop(said.and_then(|()| output.flush()));
}
