//! The list of settings, `tuning/settings.conf`, embedded in the binary and read strictly: `klamm
//! doctor` and `klamm tune` know nothing of the machine that does not stand in it.
//!
//! ```text
//! # a comment
//! [vm.swappiness]
//! file = /proc/sys/vm/swappiness
//! wanted = at most 10
//! why = a value that goes on
//!   in a line that begins with a space
//! ```

use crate::base::convert::u64_from;
use std::collections::BTreeMap;
use std::fmt;

/// The list that klamm was built with.
const EMBEDDED: &str = include_str!("../../../tuning/settings.conf");

/// Locked memory that a core wants, in bytes.
const MEMLOCK_BYTES_PER_CORE: u64 = 512 << 10;

/// One setting of the machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its name, in a sysctl's manner.
    pub name: String,
    /// Where it is read.
    pub look: Look,
    /// What klamm wants of it.
    pub wanted: Wanted,
    /// What `klamm tune --apply` writes; `None` where only people can mend it.
    pub set: Option<Word>,
    /// How much it matters.
    pub weight: Weight,
    /// How people mend it; `None` where `klamm tune` does.
    pub mend: Option<String>,
    /// What it is good for.
    pub why: String,
    /// What it costs or risks; always there where `set` is.
    pub cost: Option<String>,
    /// The measurement that earned its place, or "unmeasured here".
    pub measured: String,
    /// Where the knowledge comes from.
    pub source: String,
}

/// Where a setting is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// A file of the kernel; its path may hold `{disk}`, `{nvme}`, `{nic}` or `{cpu}`.
    File(String),
    /// Something that is found out otherwise.
    Fact(Fact),
}

/// What is not in a file of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fact {
    /// The kernel's release.
    KernelRelease,
    /// "works", or why a ring cannot be set up.
    IoUring,
    /// Hard limit of open files.
    OpenFilesLimit,
    /// Hard limit of locked memory, in bytes.
    LockedMemoryLimit,
    /// How many cores the process may run on.
    Cores,
    /// The type of the file system below each log directory.
    Filesystem,
    /// noatime, relatime or strictatime, of the same.
    AccessTimes,
    /// Receive queues of each network card.
    NicQueues,
    /// "spread", or how few cores take the interrupts of each network card.
    NicInterrupts,
}

/// Each fact, as the list names it.
const FACTS: [(&str, Fact); 9] = [
    ("kernel.release", Fact::KernelRelease),
    ("io_uring", Fact::IoUring),
    ("limit.nofile", Fact::OpenFilesLimit),
    ("limit.memlock", Fact::LockedMemoryLimit),
    ("cores", Fact::Cores),
    ("filesystem", Fact::Filesystem),
    ("atime", Fact::AccessTimes),
    ("nic.queues", Fact::NicQueues),
    ("nic.interrupts", Fact::NicInterrupts),
];

/// How much it matters that a setting is not as wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// It may cost speed.
    Advice,
    /// klamm will not run, or not safely.
    Problem,
}

/// What is wanted of a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// A number, at most this.
    AtMost(Amount),
    /// A number, or "unlimited", at least this.
    AtLeast(Amount),
    /// One of these words, the first of them preferred.
    OneOf(Vec<String>),
    /// Anything but these words.
    NoneOf(Vec<String>),
    /// A version `major.minor` or later.
    Version(u64, u64),
}

/// A number: as it stands, or as the configuration has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Amount {
    /// As it stands.
    Fixed(u64),
    /// `{backlog}`: `socket.listen.backlog.size`.
    Backlog,
    /// `{cores}`: `klamm.cores`, or as many as there are.
    Cores,
    /// `{memlock}`: 512 KiB for each of these cores.
    LockedMemory,
}

/// What is written: a word, or a number of the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// As it stands.
    Fixed(String),
    /// A number of the configuration.
    Of(Amount),
}

/// What of the configuration the list speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wishes {
    /// `socket.listen.backlog.size`.
    pub backlog: u64,
    /// `klamm.cores`, or as many as there are.
    pub cores: u64,
}

impl Amount {
    /// The number.
    #[must_use]
    pub fn of(self, wishes: Wishes) -> u64 {
        match self {
            Amount::Fixed(number) => number,
            Amount::Backlog => wishes.backlog,
            Amount::Cores => wishes.cores,
            Amount::LockedMemory => wishes.cores.saturating_mul(MEMLOCK_BYTES_PER_CORE),
        }
    }
}

impl Word {
    /// The text to write.
    #[must_use]
    pub fn of(&self, wishes: Wishes) -> String {
        match self {
            Word::Fixed(word) => word.clone(),
            Word::Of(amount) => amount.of(wishes).to_string(),
        }
    }
}

impl Wanted {
    /// Whether a value is as wanted. What is no number, where one is wanted, is not.
    #[must_use]
    pub fn holds(&self, value: &str, wishes: Wishes) -> bool {
        match self {
            Wanted::AtMost(amount) => number(value).is_some_and(|value| value <= amount.of(wishes)),
            Wanted::AtLeast(amount) => {
                number(value).is_some_and(|value| value >= amount.of(wishes))
            }
            Wanted::OneOf(words) => words.iter().any(|word| word == value),
            Wanted::NoneOf(words) => !words.iter().any(|word| word == value),
            Wanted::Version(major, minor) => {
                version(value).is_some_and(|found| found >= (*major, *minor))
            }
        }
    }

    /// In words: "at most 10".
    #[must_use]
    pub fn describe(&self, wishes: Wishes) -> String {
        match self {
            Wanted::AtMost(amount) => format!("at most {}", amount.of(wishes)),
            Wanted::AtLeast(amount) => format!("at least {}", amount.of(wishes)),
            Wanted::OneOf(words) => words.join(" or "),
            Wanted::NoneOf(words) => format!("none of {}", words.join(", ")),
            Wanted::Version(major, minor) => format!("{major}.{minor} or later"),
        }
    }
}

fn number(value: &str) -> Option<u64> {
    match value {
        "unlimited" => Some(u64::MAX),
        value => value.parse().ok(),
    }
}

/// Major and minor of a release like `6.18.44-fc`.
fn version(release: &str) -> Option<(u64, u64)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some((major, minor))
}

/// What is wrong with a list, and in which line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListError {
    /// Counted from 1.
    pub line: u64,
    /// The sentence.
    pub why: String,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tuning/settings.conf:{}: {}", self.line, self.why)
    }
}

/// The list that klamm was built with.
#[must_use]
pub fn embedded() -> Vec<Setting> {
    parse(EMBEDDED).expect("a test reads the embedded list")
}

/// Reads a list.
pub fn parse(text: &str) -> Result<Vec<Setting>, ListError> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut last_key = None;
    for (index, line) in text.lines().enumerate() {
        let number = u64_from(index) + 1;
        let fail = |why: String| ListError { line: number, why };
        let content = line.trim();
        if content.is_empty() || line.starts_with('#') {
            last_key = None;
            continue;
        }
        if let Some(name) = content
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            if name.is_empty() || !name.chars().all(is_of_a_name) {
                return Err(fail(format!("'{name}' is no name of a setting")));
            }
            if blocks.iter().any(|block| block.name == name) {
                return Err(fail(format!("{name} stands twice in the list")));
            }
            blocks.push(Block {
                name,
                line: number,
                values: BTreeMap::new(),
            });
            last_key = None;
            continue;
        }
        let Some(block) = blocks.last_mut() else {
            return Err(fail("a value before the first [name]".to_owned()));
        };
        if line.starts_with(' ') {
            let value = last_key.and_then(|key| block.values.get_mut(key));
            let Some((_, value)) = value else {
                return Err(fail("it continues nothing".to_owned()));
            };
            value.push(' ');
            value.push_str(content);
            continue;
        }
        let Some((key, value)) = content.split_once('=') else {
            return Err(fail(format!("'{content}' is not of the form key = value")));
        };
        let (key, value) = (key.trim(), value.trim());
        if value.is_empty() {
            return Err(fail(format!("{key} has no value")));
        }
        if block
            .values
            .insert(key, (number, value.to_owned()))
            .is_some()
        {
            return Err(fail(format!("{key} stands twice in [{}]", block.name)));
        }
        last_key = Some(key);
    }
    blocks.into_iter().map(Block::setting).collect()
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// A block as it stands in the text.
struct Block<'a> {
    name: &'a str,
    line: u64,
    values: BTreeMap<&'a str, (u64, String)>,
}

impl Block<'_> {
    fn take(&mut self, key: &str) -> Option<String> {
        self.values.remove(key).map(|(_, value)| value)
    }

    fn need(&mut self, key: &str) -> Result<String, ListError> {
        let (line, name) = (self.line, self.name);
        self.take(key).ok_or_else(|| ListError {
            line,
            why: format!("[{name}] has no {key}"),
        })
    }

    fn setting(mut self) -> Result<Setting, ListError> {
        let line = self.line;
        let fail = |why: String| ListError { line, why };
        let look = match (self.take("file"), self.take("fact")) {
            (Some(file), None) => Look::File(kernel_file(file).map_err(fail)?),
            (None, Some(fact)) => Look::Fact(named_fact(&fact).map_err(fail)?),
            (Some(_), Some(_)) | (None, None) => {
                return Err(fail(format!("[{}] wants a file or a fact", self.name)));
            }
        };
        let set = match self.take("set") {
            Some(text) if text.starts_with('{') => Some(Word::Of(amount(&text).map_err(fail)?)),
            Some(text) => Some(Word::Fixed(text)),
            None => None,
        };
        let setting = Setting {
            name: self.name.to_owned(),
            look,
            wanted: wanted(&self.need("wanted")?).map_err(fail)?,
            set,
            weight: match self.need("weight")?.as_str() {
                "advice" => Weight::Advice,
                "problem" => Weight::Problem,
                other => return Err(fail(format!("weight is advice or problem, not {other}"))),
            },
            mend: self.take("mend"),
            why: self.need("why")?,
            cost: self.take("cost"),
            measured: self.need("measured")?,
            source: self.need("source")?,
        };
        if let Some((key, (line, _))) = self.values.into_iter().next() {
            let why = format!("{key} is no part of a setting");
            return Err(ListError { line, why });
        }
        let is_file = matches!(setting.look, Look::File(_));
        let is_whole = match &setting.set {
            Some(_) => is_file && setting.cost.is_some() && setting.mend.is_none(),
            None => setting.mend.is_some(),
        };
        if !is_whole {
            return Err(fail(format!(
                "[{}] has either a file, a set and a cost, or a mend",
                setting.name
            )));
        }
        Ok(setting)
    }
}

/// Only the kernel's own files may stand in the list.
fn kernel_file(path: String) -> Result<String, String> {
    if is_of_the_kernel(&path) {
        Ok(path)
    } else {
        Err(format!("{path} lies neither in /proc/sys nor in /sys"))
    }
}

/// Whether a path can be none but one of the kernel's settings.
#[must_use]
pub fn is_of_the_kernel(path: &str) -> bool {
    let is_below = path.starts_with("/proc/sys/") || path.starts_with("/sys/");
    is_below && !path.split('/').any(|part| part == ".." || part == ".") && !path.contains('\0')
}

fn named_fact(name: &str) -> Result<Fact, String> {
    let named = FACTS.iter().find(|(known, _)| *known == name);
    named
        .map(|(_, fact)| *fact)
        .ok_or_else(|| format!("nobody finds out the fact {name}"))
}

fn amount(text: &str) -> Result<Amount, String> {
    match text {
        "{backlog}" => Ok(Amount::Backlog),
        "{cores}" => Ok(Amount::Cores),
        "{memlock}" => Ok(Amount::LockedMemory),
        text => text
            .parse()
            .map(Amount::Fixed)
            .map_err(|_| format!("{text} is no number")),
    }
}

fn wanted(text: &str) -> Result<Wanted, String> {
    let words = |list: &str| list.split(',').map(|word| word.trim().to_owned()).collect();
    if let Some(rest) = text.strip_prefix("at most ") {
        amount(rest).map(Wanted::AtMost)
    } else if let Some(rest) = text.strip_prefix("at least ") {
        amount(rest).map(Wanted::AtLeast)
    } else if let Some(rest) = text.strip_prefix("is ") {
        Ok(Wanted::OneOf(vec![rest.to_owned()]))
    } else if let Some(rest) = text.strip_prefix("one of ") {
        Ok(Wanted::OneOf(words(rest)))
    } else if let Some(rest) = text.strip_prefix("none of ") {
        Ok(Wanted::NoneOf(words(rest)))
    } else if let Some(found) = text.strip_prefix("version at least ").and_then(version) {
        Ok(Wanted::Version(found.0, found.1))
    } else {
        Err(format!("'{text}' says nothing that can be wanted"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::prng::Prng;
    use expect_test::expect;

    const WISHES: Wishes = Wishes {
        backlog: 50,
        cores: 4,
    };

    #[test]
    fn the_embedded_list_is_sound() {
        let settings = parse(EMBEDDED).unwrap_or_else(|error| panic!("{error}"));
        let readme = include_str!("../../../tuning/README.md");
        for setting in &settings {
            let name = &setting.name;
            assert!(
                readme.contains(&format!("`{name}`")),
                "tuning/README.md does not tell {name}"
            );
            let is_honest = setting.measured.starts_with("unmeasured here")
                || setting.measured.contains("perf/results/")
                || setting.measured.contains("tuning/README.md");
            assert!(is_honest, "{name}: measured where?");
            // What is written must be what is wanted, or it would be written for ever.
            if let Some(set) = &setting.set {
                let set = set.of(WISHES);
                assert!(
                    setting.wanted.holds(&set, WISHES),
                    "{name}: {set} is not wanted"
                );
                // What a measurement speaks against, or saw no effect of, is not set.
                assert!(
                    !setting.measured.starts_with("no "),
                    "{name}: it is set, and the measurement says {}",
                    setting.measured
                );
            }
        }
    }

    #[test]
    fn what_is_wanted_is_judged() {
        let mut said = String::new();
        for (text, values) in [
            ("at most 10", ["0", "10", "11", "x"]),
            ("at least {backlog}", ["49", "50", "unlimited", "-1"]),
            ("at least {memlock}", ["2097151", "2097152", "", "9"]),
            (
                "one of none, mq-deadline",
                ["none", "mq-deadline", "bfq", ""],
            ),
            ("none of tmpfs, nfs", ["ext4", "nfs", "tmpfs", "xfs"]),
            ("is 0", ["0", "00", "1", ""]),
            (
                "version at least 6.1",
                ["6.1.0", "6.18.44-fc", "5.15", "six"],
            ),
        ] {
            let wanted = wanted(text).unwrap();
            let held = values.map(|value| wanted.holds(value, WISHES));
            said += &format!("{}: {held:?}\n", wanted.describe(WISHES));
        }
        expect![[r#"
            at most 10: [true, true, false, false]
            at least 50: [false, true, true, false]
            at least 2097152: [false, true, false, false]
            none or mq-deadline: [true, true, false, false]
            none of tmpfs, nfs: [true, false, false, true]
            0: [true, false, false, false]
            6.1 or later: [true, true, false, false]
        "#]]
        .assert_eq(&said);
    }

    #[test]
    fn a_list_that_is_wrong_is_refused_with_its_line() {
        let rest = "weight = advice\nwhy = w\nmeasured = unmeasured here\nsource = s\n";
        let mut said = String::new();
        for text in [
            "why = x\n".to_owned(),
            "[a b]\n".to_owned(),
            "[a]\nwhy\n".to_owned(),
            "[a]\nwhy =\n".to_owned(),
            "[a]\n  goes on\n".to_owned(),
            "[a]\nwhy = x\nwhy = y\n".to_owned(),
            format!("[a]\nfact = cores\nwanted = is 1\nmend = m\n{rest}[a]\n"),
            format!("[a]\nwanted = is 1\nmend = m\n{rest}"),
            format!("[a]\nfact = moon\nwanted = is 1\nmend = m\n{rest}"),
            format!("[a]\nfact = cores\nwanted = 1\nmend = m\n{rest}"),
            format!("[a]\nfact = cores\nwanted = at most {{x}}\nmend = m\n{rest}"),
            format!("[a]\nfact = cores\nwanted = is 1\nmend = m\ncolour = red\n{rest}"),
            format!("[a]\nfact = cores\nwanted = is 1\nset = 1\ncost = c\n{rest}"),
            format!("[a]\nfile = /sys/a\nwanted = is 1\nset = 1\n{rest}"),
            format!("[a]\nfile = /etc/passwd\nwanted = is 1\nmend = m\n{rest}"),
            format!("[a]\nfile = /sys/../etc/a\nwanted = is 1\nmend = m\n{rest}"),
            "[a]\nfact = cores\nmend = m\n".to_owned(),
        ] {
            said += &format!("{}\n", parse(&text).unwrap_err());
        }
        expect![[r#"
            tuning/settings.conf:1: a value before the first [name]
            tuning/settings.conf:1: 'a b' is no name of a setting
            tuning/settings.conf:2: 'why' is not of the form key = value
            tuning/settings.conf:2: why has no value
            tuning/settings.conf:2: it continues nothing
            tuning/settings.conf:3: why stands twice in [a]
            tuning/settings.conf:9: a stands twice in the list
            tuning/settings.conf:1: [a] wants a file or a fact
            tuning/settings.conf:1: nobody finds out the fact moon
            tuning/settings.conf:1: '1' says nothing that can be wanted
            tuning/settings.conf:1: {x} is no number
            tuning/settings.conf:5: colour is no part of a setting
            tuning/settings.conf:1: [a] has either a file, a set and a cost, or a mend
            tuning/settings.conf:1: [a] has either a file, a set and a cost, or a mend
            tuning/settings.conf:1: /etc/passwd lies neither in /proc/sys nor in /sys
            tuning/settings.conf:1: /sys/../etc/a lies neither in /proc/sys nor in /sys
            tuning/settings.conf:1: [a] has no wanted
        "#]]
        .assert_eq(&said);
    }

    #[test]
    fn any_text_is_a_list_or_an_error() {
        let mut prng = Prng::new(5);
        let pieces = [
            "[a]",
            "\n",
            " ",
            "=",
            "file = /sys/a",
            "wanted = is 1",
            "é",
            "#",
            "set = {",
        ];
        for _ in 0..2_000 {
            let count = prng.below(30);
            let text: String = (0..count)
                .map(|_| pieces[prng.index(pieces.len())])
                .collect();
            drop(parse(&text));
        }
    }
}
