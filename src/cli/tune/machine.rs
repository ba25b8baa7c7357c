//! What a machine is like, read from the files in which Linux says it: the thin shell around
//! [`super::judge`], which is pure. Below a folder that plays the machine it reads nothing else.

use super::list::{Fact, Look, Setting};
use crate::runtime::disk::{Disk, OpenMode};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// Longest file of the kernel that is read, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Bytes asked for at a time; most of these files are shorter.
const CHUNK_BYTES: usize = 4096;
/// Most cores that a list like `0-3,8` is believed to name.
const CORES_MAX: u64 = 65_536;
/// Device mappers and RAIDs lie on one another at most so deep.
const DEVICE_DEPTH_MAX: u32 = 8;
/// `CAP_IPC_LOCK`: whoever has it may lock what he likes (capabilities(7)).
const CAP_IPC_LOCK: u64 = 1 << 14;

/// The files of a machine: those below `root`, which is `/` but in tests.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// Where the files are.
    pub disk: &'a Disk,
    /// What plays `/`.
    pub root: &'a Path,
}

impl Tree<'_> {
    fn place(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Whether there is such a file or directory.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        self.disk.exists(&self.place(path))
    }

    /// The names in a directory; none where it does not exist.
    #[must_use]
    pub fn names(&self, path: &str) -> Vec<String> {
        let entries = self.disk.list(&self.place(path)).unwrap_or_default();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    /// A whole file. Its length is not asked for: the kernel's files do not know it.
    pub fn read(&self, path: &str) -> io::Result<String> {
        let file = self.disk.open(&self.place(path), OpenMode::Read)?;
        let mut content = Vec::new();
        let mut chunk = [0; CHUNK_BYTES];
        while content.len() < FILE_BYTES_MAX {
            let position = crate::base::convert::u64_from(content.len());
            let read = file.read_at(position, &mut chunk)?;
            content.extend_from_slice(&chunk[..read]);
            if read < CHUNK_BYTES {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&content).into_owned())
    }

    /// What a symbolic link says it leads to.
    pub fn link_target(&self, path: &str) -> io::Result<String> {
        let target = self.disk.link_target(&self.place(path))?;
        Ok(target.to_string_lossy().into_owned())
    }

    /// A setting as it is written: of `always [madvise] never` the chosen word.
    pub fn value(&self, path: &str) -> io::Result<String> {
        self.read(path).map(|content| chosen(&content))
    }

    /// Whether this process may write a file that exists.
    pub fn may_write(&self, path: &str) -> io::Result<()> {
        self.disk.open(&self.place(path), OpenMode::Write).map(drop)
    }

    /// Writes a setting, and reads whether the kernel took it.
    pub fn set(&self, path: &str, value: &str) -> io::Result<()> {
        let place = self.place(path);
        if !self.disk.exists(&place) {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        let file = self.disk.open(&place, OpenMode::Truncate)?;
        file.write_at(0, format!("{value}\n").as_bytes())?;
        let found = self.value(path)?;
        if found == value {
            Ok(())
        } else {
            Err(io::Error::other(format!("the kernel keeps {found}")))
        }
    }
}

/// The value in a file of the kernel: the word in brackets where there is one, else all of it.
fn chosen(content: &str) -> String {
    let marked = content
        .split_whitespace()
        .find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
    match marked {
        Some(word) => word.to_owned(),
        None => content.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// One value, and where it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Observation {
    /// Which of several: `nvme0n1`, `cpu3`, `/data on /dev/sda1`; empty where there is but one.
    pub place: String,
    /// The file, where the value stands in one.
    pub file: Option<String>,
    /// The value, or why it could not be read.
    pub value: Result<String, String>,
}

/// A machine, as far as the list asks.
#[derive(Clone, Default, Debug)]
pub struct Machine {
    /// What was found of each setting, by its name.
    pub observations: BTreeMap<String, Vec<Observation>>,
}

/// Reads what a list of settings asks for. `directories` are the log directories; `io_uring` is how
/// setting up a ring went, where it was tried.
#[must_use]
pub fn read(
    tree: Tree<'_>,
    settings: &[Setting],
    directories: &[PathBuf],
    io_uring: Option<&Result<(), String>>,
) -> Machine {
    let mounts = mounts_of(tree, directories);
    let devices = devices_of(tree, &mounts);
    let mut machine = Machine::default();
    for setting in settings {
        let observations = match &setting.look {
            Look::File(pattern) => files(tree, pattern, &devices),
            Look::Fact(fact) => facts(tree, *fact, &mounts, &devices, io_uring),
        };
        machine
            .observations
            .insert(setting.name.clone(), observations);
    }
    machine
}

/// The cores that this process may run on.
#[must_use]
pub fn cores(tree: Tree<'_>) -> Vec<u64> {
    let status = tree.read("/proc/self/status").unwrap_or_default();
    core_list(field(&status, "Cpus_allowed_list:").unwrap_or_default())
}

/// The rest of the line that begins with a name.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(rest.trim())
}

/// The numbers of a list like `0-3,8`.
fn core_list(text: &str) -> Vec<u64> {
    let mut cores = BTreeSet::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if let (Ok(first), Ok(last)) = (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
            cores.extend(first..=last.min(CORES_MAX));
        }
    }
    cores.into_iter().collect()
}

/// The file of a setting, once for each device that its path stands for; a file that this kernel
/// does not have is not there.
fn files(tree: Tree<'_>, pattern: &str, devices: &Devices) -> Vec<Observation> {
    let one = vec![String::new()];
    let (placeholder, places) = if pattern.contains("{disk}") {
        ("{disk}", &devices.disks)
    } else if pattern.contains("{nvme}") {
        ("{nvme}", &devices.nvme)
    } else if pattern.contains("{nic}") {
        ("{nic}", &devices.nics)
    } else if pattern.contains("{cpu}") {
        ("{cpu}", &devices.cores)
    } else {
        ("{}", &one)
    };
    let mut observations = Vec::new();
    for place in places {
        let file = pattern.replace(placeholder, place);
        if !tree.exists(&file) {
            continue;
        }
        let value = tree.value(&file);
        observations.push(Observation {
            place: if placeholder == "{cpu}" {
                format!("cpu{place}")
            } else {
                place.clone()
            },
            value: value.map_err(|error| format!("{file} cannot be read: {error}")),
            file: Some(file),
        });
    }
    observations
}

fn facts(
    tree: Tree<'_>,
    fact: Fact,
    mounts: &[(PathBuf, Mount)],
    devices: &Devices,
    io_uring: Option<&Result<(), String>>,
) -> Vec<Observation> {
    let at = |place: String, value: Result<String, String>| Observation {
        place,
        file: None,
        value,
    };
    let read = |path: &str| {
        let content = tree.read(path);
        content.map_err(|error| format!("{path} cannot be read: {error}"))
    };
    let alone = |value| vec![at(String::new(), value)];
    match fact {
        Fact::KernelRelease => {
            alone(read("/proc/sys/kernel/osrelease").map(|release| release.trim().to_owned()))
        }
        Fact::IoUring => match io_uring {
            None => Vec::new(),
            Some(Ok(())) => alone(Ok("works".to_owned())),
            Some(Err(why)) => alone(Ok(why.clone())),
        },
        Fact::OpenFilesLimit => {
            alone(read("/proc/self/limits").and_then(|text| hard_limit(&text, "Max open files")))
        }
        Fact::LockedMemoryLimit => {
            let status = tree.read("/proc/self/status").unwrap_or_default();
            let capabilities = field(&status, "CapEff:").unwrap_or_default();
            let capabilities = u64::from_str_radix(capabilities, 16).unwrap_or(0);
            if capabilities & CAP_IPC_LOCK != 0 {
                return alone(Ok("unlimited".to_owned()));
            }
            let limits = read("/proc/self/limits");
            alone(limits.and_then(|text| hard_limit(&text, "Max locked memory")))
        }
        Fact::Cores => match cores(tree).len() {
            0 => Vec::new(),
            count => alone(Ok(count.to_string())),
        },
        Fact::Filesystem => mounts
            .iter()
            .map(|(directory, mount)| at(mount.place(directory), Ok(mount.kind.clone())))
            .collect(),
        Fact::AccessTimes => mounts
            .iter()
            .map(|(directory, mount)| at(mount.place(directory), Ok(mount.access_times.clone())))
            .collect(),
        Fact::NicQueues => devices
            .nics
            .iter()
            .map(|nic| (nic, receive_queues(tree, nic)))
            .filter(|(_, queues)| *queues > 0)
            .map(|(nic, queues)| at(nic.clone(), Ok(queues.to_string())))
            .collect(),
        Fact::NicInterrupts => devices
            .nics
            .iter()
            .filter_map(|nic| Some(at(nic.clone(), Ok(interrupts(tree, nic)?))))
            .collect(),
    }
}

/// The hard limit in a line of `/proc/self/limits`: name, soft, hard, unit.
fn hard_limit(limits: &str, name: &str) -> Result<String, String> {
    let rest = field(limits, name).unwrap_or_default();
    match rest.split_whitespace().nth(1) {
        Some(hard) => Ok(hard.to_owned()),
        None => Err(format!("/proc/self/limits has no '{name}'")),
    }
}

/// Network cards: what has a device behind it, and is not down.
fn nics(tree: Tree<'_>) -> Vec<String> {
    let mut found = tree.names("/sys/class/net");
    found.retain(|nic| {
        let folder = format!("/sys/class/net/{nic}");
        let state = tree.value(&format!("{folder}/operstate"));
        tree.exists(&format!("{folder}/device")) && !state.is_ok_and(|state| state == "down")
    });
    found
}

/// How many receive queues a network card has.
fn receive_queues(tree: Tree<'_>, nic: &str) -> usize {
    let queues = tree.names(&format!("/sys/class/net/{nic}/queues"));
    queues.iter().filter(|name| name.starts_with("rx-")).count()
}

/// "spread" where the interrupts of a network card go to as many cores as it has queues, or as
/// klamm may use; else how few take them. `None` where the kernel does not say which they are.
fn interrupts(tree: Tree<'_>, nic: &str) -> Option<String> {
    let device = format!("/sys/class/net/{nic}/device");
    let event = tree.read(&format!("{device}/uevent")).unwrap_or_default();
    // A virtio card lies behind a device of the bus, and that one has the interrupts.
    let above = match field(&event, "DRIVER=") {
        Some("virtio_net") => "/..",
        Some(_) | None => "",
    };
    let mut taking = BTreeSet::new();
    for interrupt in tree.names(&format!("{device}{above}/msi_irqs")) {
        // Where it goes, of where it may; not every kernel says the first.
        let list = ["effective_affinity_list", "smp_affinity_list"]
            .into_iter()
            .filter_map(|name| tree.value(&format!("/proc/irq/{interrupt}/{name}")).ok())
            .find(|list| !list.is_empty());
        taking.extend(core_list(&list.unwrap_or_default()));
    }
    let (queues, allowed) = (receive_queues(tree, nic), cores(tree).len());
    match taking.len() {
        0 => None,
        count if count >= queues.min(allowed) => Some("spread".to_owned()),
        count => {
            let few = format!("{queues} queues, interrupts on {count} of {allowed} cores");
            Some(few)
        }
    }
}

/// A line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mount {
    /// `major:minor` of the device.
    device: String,
    point: PathBuf,
    access_times: String,
    kind: String,
    source: String,
}

impl Mount {
    fn place(&self, directory: &Path) -> String {
        let (directory, point) = (directory.display(), self.point.display());
        format!("{directory}, on {} at {point}", self.source)
    }
}

/// Each log directory with what it is mounted on. One that does not exist yet will lie where the
/// nearest above it does.
fn mounts_of(tree: Tree<'_>, directories: &[PathBuf]) -> Vec<(PathBuf, Mount)> {
    let text = tree.read("/proc/self/mountinfo").unwrap_or_default();
    let mounts: Vec<Mount> = text.lines().filter_map(mount).collect();
    let mut found = Vec::new();
    for directory in directories {
        let path = absolute(tree.disk, directory);
        if let Some(mount) = mount_of(&mounts, &path) {
            found.push((directory.clone(), mount.clone()));
        }
    }
    found
}

/// The absolute path of a directory that may not exist, links of what exists followed.
fn absolute(disk: &Disk, path: &Path) -> PathBuf {
    let here = disk.absolute(Path::new("."));
    let path = here.map_or_else(|_| path.to_owned(), |here| here.join(path));
    for above in path.ancestors() {
        if let Ok(resolved) = disk.absolute(above) {
            let rest = path.strip_prefix(above).unwrap_or(Path::new(""));
            // Joining an empty path would add a slash.
            return if rest.as_os_str().is_empty() {
                resolved
            } else {
                resolved.join(rest)
            };
        }
    }
    path
}

/// The mount that holds a path: the longest mount point above it, of equal ones the last.
fn mount_of<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let above = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    above.max_by_key(|mount| mount.point.components().count())
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(2);
    let device = before.next()?.to_owned();
    let point = PathBuf::from(unescape(before.nth(1)?));
    let options: Vec<&str> = before.next()?.split(',').collect();
    let mut after = after.split(' ');
    let kind = after.next()?.to_owned();
    let source = unescape(after.next()?);
    let said = ["noatime", "relatime"];
    let access_times = said.iter().find(|word| options.contains(word));
    Some(Mount {
        device,
        point,
        access_times: access_times.copied().unwrap_or("strictatime").to_owned(),
        kind,
        source,
    })
}

/// Spaces, tabs, newlines and backslashes stand as `\040` in mountinfo.
fn unescape(text: &str) -> String {
    let mut plain = text.to_owned();
    for (escaped, meant) in [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ] {
        plain = plain.replace(escaped, meant);
    }
    plain
}

/// What a path of the list may stand for.
#[derive(Debug)]
struct Devices {
    /// Disks below the log directories that are not NVMe.
    disks: Vec<String>,
    nvme: Vec<String>,
    /// Network cards that are not down.
    nics: Vec<String>,
    cores: Vec<String>,
}

fn devices_of(tree: Tree<'_>, mounts: &[(PathBuf, Mount)]) -> Devices {
    let mut disks = BTreeSet::new();
    for (_, mount) in mounts {
        let folder = format!("/sys/dev/block/{}", mount.device);
        disks_below(tree, &folder, 0, &mut disks);
    }
    let (nvme, disks) = disks.into_iter().partition(|disk| disk.starts_with("nvme"));
    Devices {
        disks,
        nvme,
        nics: nics(tree),
        cores: cores(tree).iter().map(u64::to_string).collect(),
    }
}

/// The whole disks that a block device lies on: a partition's disk, a mapper's slaves.
fn disks_below(tree: Tree<'_>, folder: &str, depth: u32, disks: &mut BTreeSet<String>) {
    let Ok(event) = tree.read(&format!("{folder}/uevent")) else {
        return;
    };
    let slaves = tree.names(&format!("{folder}/slaves"));
    if field(&event, "DEVTYPE=") == Some("partition") {
        // The folder is a link to where the device is: below its disk.
        if depth < DEVICE_DEPTH_MAX {
            disks_below(tree, &format!("{folder}/.."), depth + 1, disks);
        }
    } else if slaves.is_empty() || depth >= DEVICE_DEPTH_MAX {
        // The name becomes part of a path.
        if let Some(name) = field(&event, "DEVNAME=").filter(|name| !name.contains(['.', '/'])) {
            disks.insert(name.to_owned());
        }
    } else {
        for slave in slaves {
            let folder = format!("/sys/class/block/{slave}");
            disks_below(tree, &folder, depth + 1, disks);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn files_of_the_kernel_are_understood() {
        assert_eq!(chosen("always [madvise] never\n"), "madvise");
        assert_eq!(chosen("4096\t131072  33\n"), "4096 131072 33");
        assert_eq!(core_list("0-2,5,x,7-"), [0, 1, 2, 5]);
        assert_eq!(core_list(""), [0; 0]);
        assert_eq!(core_list("0-99999999999999").len(), 65_537);
        let limits = "Limit      Soft Limit   Hard Limit   Units\n\
                      Max open files            1024                 524288               files\n\
                      Max locked memory         8388608              unlimited            bytes\n";
        assert_eq!(hard_limit(limits, "Max open files").unwrap(), "524288");
        assert_eq!(
            hard_limit(limits, "Max locked memory").unwrap(),
            "unlimited"
        );
        expect!["/proc/self/limits has no 'Max naps'"]
            .assert_eq(&hard_limit(limits, "Max naps").unwrap_err());
    }

    #[test]
    fn a_directory_lies_on_the_nearest_mount_above_it() {
        let text = r"22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
28 27 259:1 / /data rw,noatime - xfs /dev/nvme0n1p1 rw
29 28 0:40 / /data/my\040logs rw - tmpfs tmp rw
30 28 0:41 / /data/my\040logs rw,nodev,noatime - nfs4 host:/x rw
cut off - ext4
";
        let mounts: Vec<Mount> = text.lines().filter_map(mount).collect();
        let mut said = String::new();
        for path in ["/", "/database", "/data", "/data/a/b", "/data/my logs/a"] {
            let found = mount_of(&mounts, Path::new(path)).unwrap();
            said += &format!(
                "{} {} {} {}\n",
                found.place(Path::new(path)),
                found.device,
                found.kind,
                found.access_times
            );
        }
        expect![[r#"
            /, on /dev/vda at / 254:0 ext4 relatime
            /database, on /dev/vda at / 254:0 ext4 relatime
            /data, on /dev/nvme0n1p1 at /data 259:1 xfs noatime
            /data/a/b, on /dev/nvme0n1p1 at /data 259:1 xfs noatime
            /data/my logs/a, on host:/x at /data/my logs 0:41 nfs4 noatime
        "#]]
        .assert_eq(&said);
        assert_eq!(mounts[3].access_times, "strictatime");
    }
}
