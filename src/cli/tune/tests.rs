//! Doctor and tune on made-up machines: folders with a proc/ and a sys/. No test touches a setting
//! of the machine that it runs on.

use super::*;
use crate::runtime::disk::OpenMode;
use expect_test::expect;

/// A machine of four cores, an NVMe drive with a partition, and a network card.
const MACHINE: &[(&str, &str)] = &[
    ("proc/sys/kernel/osrelease", "6.18.44-made-up\n"),
    ("proc/sys/kernel/io_uring_disabled", "2\n"),
    ("proc/sys/kernel/numa_balancing", "1\n"),
    ("proc/sys/kernel/random/boot_id", "first-boot\n"),
    ("proc/sys/vm/swappiness", "60\n"),
    ("proc/sys/net/core/somaxconn", "128\n"),
    (
        "proc/self/limits",
        "Limit  Soft Limit  Hard Limit  Units\nMax open files 1024 4096 files\n\
         Max locked memory 65536 65536 bytes\n",
    ),
    (
        "proc/self/status",
        "Name:\tx\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0-3\n",
    ),
    (
        "proc/self/mountinfo",
        "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
         28 27 259:1 / /made-up/data rw,noatime - xfs /dev/nvme0n1p1 rw\n\
         29 27 0:40 / /made-up/fast rw - tmpfs tmpfs rw\n",
    ),
    ("sys/dev/block/254:0/uevent", "DEVNAME=vda\nDEVTYPE=disk\n"),
    ("sys/dev/block/259:1/uevent", "DEVNAME=dm-0\nDEVTYPE=disk\n"),
    ("sys/dev/block/259:1/slaves/nvme0n1/x", ""),
    (
        "sys/class/block/nvme0n1/uevent",
        "DEVNAME=nvme0n1\nDEVTYPE=disk\n",
    ),
    (
        "sys/block/nvme0n1/queue/scheduler",
        "none [mq-deadline] kyber\n",
    ),
    ("sys/block/nvme0n1/queue/rq_affinity", "2\n"),
    ("sys/block/vda/queue/scheduler", "[bfq] none\n"),
    ("sys/class/net/eth0/device/msi_irqs/30", "msix\n"),
    ("proc/irq/30/effective_affinity_list", "2\n"),
    ("sys/class/net/eth0/statistics/rx_missed_errors", "7\n"),
    ("sys/class/net/eth0/operstate", "up\n"),
    ("sys/class/net/eth0/queues/rx-0/x", ""),
    ("sys/class/net/eth0/queues/tx-0/x", ""),
    ("sys/class/net/lo/queues/rx-0/x", ""),
    (
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "powersave\n",
    ),
    (
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor",
        "powersave\n",
    ),
    (
        "sys/devices/system/cpu/cpu2/cpufreq/scaling_governor",
        "powersave\n",
    ),
    (
        "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor",
        "performance\n",
    ),
];

/// A folder that plays a machine.
struct MadeUp {
    folder: tempfile::TempDir,
    disk: Disk,
}

impl MadeUp {
    fn new() -> MadeUp {
        let machine = MadeUp {
            folder: tempfile::tempdir().unwrap(),
            disk: Disk::Native,
        };
        for (path, content) in MACHINE {
            machine.put(path, content);
        }
        machine
    }

    fn put(&self, path: &str, content: &str) {
        let path = self.folder.path().join(path);
        self.disk
            .create_directories(path.parent().unwrap())
            .unwrap();
        let file = self.disk.open(&path, OpenMode::Truncate).unwrap();
        file.write_at(0, content.as_bytes()).unwrap();
    }

    fn tree(&self) -> Tree<'_> {
        Tree {
            disk: &self.disk,
            root: self.folder.path(),
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("run/klamm-tune/undo.json")
    }

    fn findings(&self, overrides: &[&str]) -> Vec<Finding> {
        let configuration = Configuration::from_overrides(overrides).unwrap();
        diagnose(self.tree(), &list::embedded(), &configuration, None)
    }

    fn changes(&self) -> Vec<Change> {
        let findings = self.findings(DATA);
        findings
            .into_iter()
            .flat_map(|finding| finding.changes)
            .collect()
    }

    /// Every setting that the list would write on this machine.
    fn values(&self) -> Vec<(String, String)> {
        let tree = self.tree();
        let paths = MACHINE.iter().map(|(path, _)| format!("/{path}"));
        paths
            .filter(|path| list::is_of_the_kernel(path))
            .map(|path| {
                let value = tree.value(&path).unwrap();
                (path, value)
            })
            .collect()
    }

    fn undo(&self) -> Vec<Outcome> {
        apply::undo(self.tree(), &self.state()).unwrap()
    }
}

const DATA: &[&str] = &[
    "log.dirs=/made-up/data,/made-up-too",
    "metadata.log.dir=/made-up/data",
];

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(judge::line).collect();
    lines.join("\n")
}

#[test]
fn the_doctor_says_what_hurts() {
    let machine = MadeUp::new();
    let mut findings = machine.findings(DATA);
    for finding in &mut findings {
        // The list's own words are not what is tested here.
        finding.why = "…".to_owned();
    }
    expect![[r#"
        ok       kernel.release: 6.18.44-made-up
        problem  kernel.io_uring_disabled: 2; wanted: 0; why: …; mend: klamm tune --apply, which sets 0
        advice   limit.nofile: 4096; wanted: at least 65536; why: …; mend: ulimit -n 1000000, or in the systemd unit: LimitNOFILE=1000000 (tuning/systemd/limits.conf)
        advice   limit.memlock: 65536; wanted: at least 2097152; why: …; mend: ulimit -l unlimited, or in the systemd unit: LimitMEMLOCK=infinity (tuning/systemd/limits.conf)
        ok       cores: 4
        ok       log.dirs.filesystem (/made-up/data, on /dev/nvme0n1p1 at /made-up/data): xfs
        ok       log.dirs.filesystem (/made-up-too, on /dev/vda at /): ext4
        ok       log.dirs.atime (/made-up/data, on /dev/nvme0n1p1 at /made-up/data): noatime
        advice   log.dirs.atime (/made-up-too, on /dev/vda at /): relatime; wanted: noatime; why: …; mend: mount -o remount,noatime MOUNTPOINT, and noatime in its line of /etc/fstab
        advice   vm.swappiness: 60; wanted: at most 10; why: …; mend: klamm tune --apply, which sets 1
        advice   kernel.numa_balancing: 1; wanted: 0; why: …; mend: klamm tune --apply, which sets 0
        advice   cpu.governor (cpu0 to cpu2, 3 of them): powersave; wanted: performance; why: …; mend: klamm tune --apply, which sets performance
        ok       cpu.governor (cpu3): performance
        ok       net.core.somaxconn: 128
        advice   nic.queues (eth0): 1; wanted: at least 4; why: …; mend: ethtool -l NIC shows how many it can have; ethtool -L NIC combined N sets them
        ok       nic.interrupts (eth0): spread
        advice   nic.missed (eth0): 7; wanted: 0; why: …; mend: where it grows under load, a larger receive ring: ethtool -g NIC shows how large it can be, ethtool -G NIC rx N sets it
        advice   nvme.scheduler (nvme0n1): mq-deadline; wanted: none; why: …; mend: klamm tune --apply, which sets none
        ok       nvme.rq_affinity (nvme0n1): 2
        advice   disk.scheduler (vda): bfq; wanted: none or mq-deadline; why: …; mend: klamm tune --apply, which sets mq-deadline"#]]
    .assert_eq(&lines(&findings));
}

#[test]
fn the_configuration_decides_what_is_enough() {
    let machine = MadeUp::new();
    machine.put("proc/sys/kernel/osrelease", "5.15.0-generic\n");
    let findings = machine.findings(&[
        "log.dirs=/made-up/fast/x",
        "klamm.cores=8",
        "socket.listen.backlog.size=1000",
    ]);
    let of = |name: &str| {
        let found = findings.iter().find(|finding| finding.name == name);
        let finding = found.unwrap();
        (
            finding.state,
            finding.found.as_str(),
            finding.wanted.as_str(),
        )
    };
    assert_eq!(
        of("kernel.release"),
        (State::Problem, "5.15.0-generic", "6.1 or later")
    );
    assert_eq!(of("cores"), (State::Problem, "4", "at least 8"));
    assert_eq!(of("log.dirs.filesystem").0, State::Problem);
    assert_eq!(of("log.dirs.filesystem").1, "tmpfs");
    assert_eq!(
        of("net.core.somaxconn"),
        (State::Advice, "128", "at least 1000")
    );
    // What lies on no disk of this machine has no scheduler.
    assert!(
        findings
            .iter()
            .all(|finding| finding.name != "nvme.scheduler")
    );
}

#[test]
fn a_machine_that_says_nothing_is_not_judged() {
    let machine = MadeUp {
        folder: tempfile::tempdir().unwrap(),
        disk: Disk::Native,
    };
    let findings = machine.findings(DATA);
    assert!(findings.iter().all(|finding| finding.changes.is_empty()));
    let refused = Err("a seccomp profile".to_owned());
    let configuration = Configuration::from_overrides(DATA).unwrap();
    let settings = list::embedded();
    let findings = diagnose(machine.tree(), &settings, &configuration, Some(&refused));
    let io_uring = findings.iter().find(|finding| finding.name == "io_uring");
    assert_eq!(io_uring.unwrap().state, State::Problem);
}

#[test]
fn a_card_whose_interrupts_few_cores_take_is_named() {
    let machine = MadeUp::new();
    let said = || {
        let mut findings = machine.findings(DATA);
        findings.retain(|finding| finding.name == "nic.interrupts");
        let lines = findings.iter().map(|finding| {
            let (state, places) = (finding.state.word(), finding.places.join(" "));
            format!("{places}: {state}, {}", finding.found)
        });
        lines.collect::<Vec<String>>().join("; ")
    };
    // One queue is for one core.
    assert_eq!(said(), "eth0: ok, spread");
    for queue in 1..4 {
        machine.put(&format!("sys/class/net/eth0/queues/rx-{queue}/x"), "");
    }
    machine.put("sys/class/net/eth0/device/msi_irqs/31", "msix\n");
    machine.put("proc/irq/31/effective_affinity_list", "2\n");
    // Where it may go is not where it goes.
    machine.put("proc/irq/31/smp_affinity_list", "0-3\n");
    let few = "eth0: advice, 4 queues, interrupts on 1 of 4 cores";
    assert_eq!(said(), few);
    machine.put("proc/irq/31/effective_affinity_list", "\n");
    assert_eq!(said(), "eth0: ok, spread");
    // A virtio card: in a made-up machine, which has no links, its bus is the card's own folder.
    machine.put(
        "sys/class/net/eth1/device/uevent",
        "DRIVER=virtio_net\nMODALIAS=virtio:d00000001v00001AF4\n",
    );
    for queue in 0..2 {
        machine.put(&format!("sys/class/net/eth1/queues/rx-{queue}/x"), "");
        machine.put(&format!("sys/class/net/eth1/msi_irqs/4{queue}"), "msix\n");
        machine.put(&format!("proc/irq/4{queue}/smp_affinity_list"), "3\n");
    }
    assert_eq!(
        said(),
        "eth0: ok, spread; eth1: advice, 2 queues, interrupts on 1 of 4 cores"
    );
}

/// A directory, which not even root can write, stands for a file that may not be written.
#[test]
fn where_one_file_may_not_be_written_nothing_is_changed() {
    let machine = MadeUp::new();
    let before = machine.values();
    let mut changes = machine.changes();
    changes.push(Change {
        name: "nvme.queue".to_owned(),
        file: "/sys/block/nvme0n1/queue".to_owned(),
        before: "1".to_owned(),
        set: "2".to_owned(),
    });
    for format in [OutputFormat::Text, OutputFormat::Json] {
        let mut out = Vec::new();
        let mut output = Output::to(&mut out);
        let (tree, state) = (machine.tree(), machine.state());
        let result = apply_all(tree, &state, changes.clone(), format, &mut output);
        drop(output);
        let refused = result.unwrap_err();
        assert_eq!(refused.exit_code(), 1);
        assert_eq!(
            refused.to_string(),
            "/sys/block/nvme0n1/queue cannot be written: Is a directory (os error 21); nothing was \
             changed. To be set: nvme.queue; in a container, run it on the host instead"
        );
        assert!(out.is_empty());
        assert_eq!(machine.values(), before);
        assert!(!machine.disk.exists(&machine.folder.path().join("run")));
    }
}

#[test]
fn a_refusal_names_each_setting_once_and_who_may_set_it() {
    let machine = MadeUp::new();
    let refused = |errno: i32| {
        let changes = machine.changes().into_iter();
        let forbidden: Vec<(Change, io::Error)> = changes
            .map(|change| (change, io::Error::from_raw_os_error(errno)))
            .collect();
        refusal(&forbidden).unwrap()
    };
    assert_eq!(
        refused(libc::EACCES),
        "/proc/sys/kernel/io_uring_disabled cannot be written: Permission denied (os error 13); \
         nothing was changed. To be set: kernel.io_uring_disabled, vm.swappiness, \
         kernel.numa_balancing, cpu.governor, nvme.scheduler, disk.scheduler; run it as root: sudo \
         klamm tune --apply"
    );
    assert_eq!(
        refused(libc::EROFS),
        "/proc/sys/kernel/io_uring_disabled cannot be written: Read-only file system (os error \
         30); nothing was changed. To be set: kernel.io_uring_disabled, vm.swappiness, \
         kernel.numa_balancing, cpu.governor, nvme.scheduler, disk.scheduler; in a container, run \
         it on the host instead"
    );
    assert_eq!(refusal(&[]), None);
}

#[test]
fn what_is_applied_is_undone_exactly() {
    let machine = MadeUp::new();
    let before = machine.values();
    let changes = machine.changes();
    assert_eq!(changes.len(), 8);
    let applying = Applying::begin(machine.tree(), &machine.state(), changes).unwrap();
    for outcome in applying {
        outcome.result.unwrap().unwrap();
    }
    assert_ne!(machine.values(), before);
    // Nothing is left to be set, so nothing would ask for root.
    assert_eq!(machine.changes(), []);
    let outcomes = machine.undo();
    assert_eq!(outcomes.len(), 8);
    assert_eq!(machine.values(), before);
    assert!(!machine.disk.exists(&machine.state()));
    assert_eq!(machine.undo().len(), 0);
}

#[test]
fn an_interrupted_apply_is_undone_wherever_it_stopped() {
    for done in 0..=8 {
        let machine = MadeUp::new();
        let before = machine.values();
        let changes = machine.changes();
        let mut applying = Applying::begin(machine.tree(), &machine.state(), changes).unwrap();
        for _ in 0..done {
            applying.next().unwrap().result.unwrap().unwrap();
        }
        drop(applying);
        // Interrupted a second time, at another place: what was recorded first stays.
        let changes = machine.changes();
        assert_eq!(changes.len(), 8 - done);
        let mut applying = Applying::begin(machine.tree(), &machine.state(), changes).unwrap();
        drop(applying.next());
        drop(applying);
        machine.undo();
        assert_eq!(machine.values(), before, "after {done}");
    }
}

#[test]
fn a_second_apply_keeps_what_was_at_first() {
    let machine = MadeUp::new();
    let all = |machine: &MadeUp| {
        let changes = machine.changes();
        drop(Applying::begin(machine.tree(), &machine.state(), changes).map(Iterator::count));
    };
    all(&machine);
    machine.put("proc/sys/vm/swappiness", "30\n");
    all(&machine);
    machine.put("proc/sys/kernel/numa_balancing", "2\n");
    let outcomes = machine.undo();
    assert_eq!(
        machine.tree().value("/proc/sys/vm/swappiness").unwrap(),
        "60"
    );
    assert_eq!(
        machine
            .tree()
            .value("/proc/sys/kernel/numa_balancing")
            .unwrap(),
        "1"
    );
    let notes: Vec<&str> = outcomes
        .iter()
        .filter_map(|outcome| outcome.note.as_deref())
        .collect();
    assert_eq!(notes, ["somebody had made it 2 since klamm set 0"]);
}

#[test]
fn a_record_of_an_earlier_boot_is_none() {
    let machine = MadeUp::new();
    drop(Applying::begin(machine.tree(), &machine.state(), machine.changes()).map(Iterator::count));
    machine.put("proc/sys/kernel/random/boot_id", "second-boot\n");
    machine.put("proc/sys/vm/swappiness", "50\n");
    let changes = machine.changes();
    drop(Applying::begin(machine.tree(), &machine.state(), changes).map(Iterator::count));
    machine.undo();
    assert_eq!(
        machine.tree().value("/proc/sys/vm/swappiness").unwrap(),
        "50"
    );
}

#[test]
fn what_cannot_be_restored_stays_recorded() {
    let machine = MadeUp::new();
    drop(Applying::begin(machine.tree(), &machine.state(), machine.changes()).map(Iterator::count));
    let swappiness = machine.folder.path().join("proc/sys/vm/swappiness");
    machine.disk.remove_file(&swappiness).unwrap();
    machine.disk.create_directories(&swappiness).unwrap();
    let is_failed = |outcome: &Outcome| matches!(outcome.result, Some(Err(_)));
    assert_eq!(
        machine
            .undo()
            .iter()
            .filter(|outcome| is_failed(outcome))
            .count(),
        1
    );
    assert!(machine.disk.exists(&machine.state()));
    // A setting whose device is gone holds nobody up.
    machine.disk.remove_directory(&swappiness).unwrap();
    assert_eq!(
        machine
            .undo()
            .iter()
            .filter(|outcome| is_failed(outcome))
            .count(),
        0
    );
    assert!(!machine.disk.exists(&machine.state()));
}

#[test]
fn two_at_a_time_and_damaged_records_are_refused() {
    let machine = MadeUp::new();
    let applying = Applying::begin(machine.tree(), &machine.state(), machine.changes()).unwrap();
    let second = Applying::begin(machine.tree(), &machine.state(), Vec::new());
    assert!(
        second
            .unwrap_err()
            .to_string()
            .starts_with("another klamm tune holds ")
    );
    drop(applying);
    machine.put("run/klamm-tune/undo.json", "{\"version\":1");
    let before = machine.values();
    let damaged = apply::undo(machine.tree(), &machine.state()).unwrap_err();
    assert!(
        damaged
            .to_string()
            .contains("it is no JSON; nothing was changed")
    );
    let applying = Applying::begin(machine.tree(), &machine.state(), machine.changes());
    assert!(applying.is_err());
    assert_eq!(machine.values(), before);
}

#[test]
fn the_verbs_print_and_fail_as_scripts_expect() {
    let machine = MadeUp::new();
    let tuned = |flag: &str, format: OutputFormat| {
        let arguments = TuneArguments {
            check: flag == "check",
            print_script: flag == "print-script",
            apply: flag == "apply",
            undo: flag == "undo",
            state: None,
            start: StartArguments {
                overrides: DATA.iter().map(|pair| (*pair).to_owned()).collect(),
                ..StartArguments::default()
            },
            output: OutputArguments { output: format },
            place: PlaceArguments {
                root: machine.folder.path().to_owned(),
            },
        };
        let mut out = Vec::new();
        let mut output = Output::to(&mut out);
        let result = run(&arguments, &mut output);
        output.flush().unwrap();
        drop(output);
        (result, String::from_utf8(out).unwrap())
    };
    let (result, said) = tuned("check", OutputFormat::Json);
    assert!(matches!(result, Err(CliError::Reported)));
    let findings: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(findings[0]["name"], "kernel.io_uring_disabled");
    assert_eq!(findings[0]["set"][0]["to"], "0");
    let (result, said) = tuned("print-script", OutputFormat::Text);
    result.unwrap();
    assert!(said.starts_with("#!/bin/sh\n"));
    assert!(said.contains("\necho '1' > '/proc/sys/vm/swappiness'\n"));
    assert!(said.contains("\n# back with: echo '60' > '/proc/sys/vm/swappiness'\n"));
    assert!(said.contains("\n# by hand: ethtool "));
    let (result, said) = tuned("apply", OutputFormat::Text);
    result.unwrap();
    assert_eq!(said.lines().count(), 8);
    assert!(said.contains("set        vm.swappiness /proc/sys/vm/swappiness: 60 -> 1\n"));
    tuned("check", OutputFormat::Text).0.unwrap();
    let (result, said) = tuned("apply", OutputFormat::Text);
    result.unwrap();
    assert_eq!(said, "nothing to set: all is as wanted\n");
    let (result, said) = tuned("undo", OutputFormat::Json);
    result.unwrap();
    let outcomes: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(outcomes.as_array().unwrap().len(), 8);
    assert_eq!(outcomes[7]["to"], "2");
    let (result, said) = tuned("undo", OutputFormat::Text);
    result.unwrap();
    assert!(said.starts_with("nothing to undo"));
}
