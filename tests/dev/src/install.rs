//! Brings what the tests need, at pinned versions, from the package registries into the cache.
//! Each part leaves a stamp that holds everything it was installed from, so a second run does
//! nothing, and a changed pin installs that part again.

use crate::Project;
use crate::command::{exists, read, run_quietly};
use crate::java;
use std::path::{Path, PathBuf};
use std::process::Command;

/// kcat as Debian 12 ships it, which brings librdkafka 2.0.2 with it.
const KCAT: &str = "1.7.1";

/// One installable part: its name, and what installs it.
type Part = (&'static str, fn(&Project) -> Result<(), String>);

const PARTS: [Part; 6] = [
    ("kcat", kcat),
    ("chromium", chromium),
    ("python", python),
    ("node", node),
    ("go", go),
    ("java", java::install),
];

/// Installs the parts named, or all of them.
pub fn install(project: &Project, named: &[String]) -> Result<(), String> {
    if let Some(unknown) = named
        .iter()
        .find(|name| PARTS.iter().all(|part| part.0 != **name))
    {
        return Err(format!("there is no part named {unknown} to install"));
    }
    for (name, install) in PARTS {
        if named.is_empty() || named.iter().any(|chosen| chosen == name) {
            install(project).map_err(|why| {
                format!("the tests need {name}, which could not be installed: {why}")
            })?;
        }
    }
    Ok(())
}

/// What a part was installed from, kept beside what was installed.
pub struct Stamp {
    path: PathBuf,
    content: String,
}

impl Stamp {
    /// A stamp in `folder` over `inputs`: files, each by its whole content.
    pub fn over_files(folder: &Path, inputs: &[PathBuf]) -> Result<Stamp, String> {
        let mut content = String::new();
        for input in inputs {
            content.push_str(&read(input)?);
        }
        Ok(Stamp {
            path: folder.join("installed-from"),
            content,
        })
    }

    /// Whether the folder was installed from exactly these inputs.
    pub fn is_current(&self) -> bool {
        std::fs::read_to_string(&self.path).is_ok_and(|found| found == self.content)
    }

    /// Starts afresh: the folder is emptied, so that nothing of an older pin stays.
    pub fn clear(&self) -> Result<(), String> {
        let folder = self.path.parent().expect("a stamp lies in its folder");
        if folder.exists() {
            std::fs::remove_dir_all(folder)
                .map_err(|error| format!("cannot empty {}: {error}", folder.display()))?;
        }
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))
    }

    /// Says that the installation is complete.
    pub fn set(&self) -> Result<(), String> {
        std::fs::write(&self.path, &self.content)
            .map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }
}

/// Fails with what to do where a program the machine must have is absent.
pub fn need(program: &str, package: &str) -> Result<(), String> {
    if exists(program) {
        return Ok(());
    }
    Err(format!(
        "`{program}` is not on this machine; on Debian: apt-get install {package}"
    ))
}

/// Says what is being fetched: the first run takes minutes and should not look hung.
pub fn announce(what: &str) {
    eprintln!("cargo dev: installing {what}");
}

fn kcat(_project: &Project) -> Result<(), String> {
    if kcat_is_installed() {
        return Ok(());
    }
    announce(&format!("kcat {KCAT} from Debian"));
    apt_install(&format!("kcat={KCAT}*"))?;
    if kcat_is_installed() {
        Ok(())
    } else {
        Err(format!(
            "apt-get ended well, but `kcat -V` does not say {KCAT}"
        ))
    }
}

/// The browser that pages are opened in. Whatever version Debian has now: old ones are withdrawn
/// when they are unsafe, so none can be pinned.
fn chromium(_project: &Project) -> Result<(), String> {
    if exists("chromium") {
        return Ok(());
    }
    announce("chromium from Debian");
    apt_install("chromium")?;
    need("chromium", "chromium")
}

/// Installs a package of Debian's.
fn apt_install(package: &str) -> Result<(), String> {
    need("apt-get", "apt")?;
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command
    };
    run_quietly(apt().arg("update"))?;
    run_quietly(
        apt()
            .args(["install", "--yes", "--no-install-recommends"])
            .arg(package),
    )
    .map(drop)
}

fn kcat_is_installed() -> bool {
    run_quietly(Command::new("kcat").arg("-V")).is_ok_and(|printed| printed.contains(KCAT))
}

fn python(project: &Project) -> Result<(), String> {
    let folder = project.cache.join("python");
    let requirements = project.root.join("tests/clients/python/requirements.txt");
    let service = project.root.join("tests/clients/python/service.py");
    let stamp = Stamp::over_files(&folder, &[requirements.clone(), service])?;
    if stamp.is_current() {
        return Ok(());
    }
    let python = ["python3.11", "python3"]
        .into_iter()
        .find(|name| exists(name))
        .ok_or("`python3` is not on this machine; on Debian: apt-get install python3-venv")?;
    announce("the Python clients");
    stamp.clear()?;
    run_quietly(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    run_quietly(
        Command::new(folder.join("bin/pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary",
                ":all:",
            ])
            .arg("--requirement")
            .arg(&requirements),
    )?;
    kafka_python_tests(project, &folder)?;
    stamp.set()
}

/// kafka-python's source distribution, of the version that is installed, for the tests in it.
fn kafka_python_tests(project: &Project, folder: &Path) -> Result<(), String> {
    let pip = || Command::new(folder.join("bin/pip"));
    let frozen = run_quietly(pip().args(["freeze", "--disable-pip-version-check"]))?;
    let pinned = frozen
        .lines()
        .find(|line| line.starts_with("kafka-python=="))
        .ok_or("kafka-python was not installed")?;
    let sources = folder.join("kafka-python");
    run_quietly(
        pip()
            .args(["download", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--no-binary", ":all:"])
            .arg(pinned)
            .arg("--dest")
            .arg(&sources),
    )?;
    let archive = std::fs::read_dir(&sources)
        .map_err(|error| format!("cannot list {}: {error}", sources.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .next()
        .ok_or("pip downloaded nothing")?;
    run_quietly(
        Command::new("tar")
            .args(["--extract", "--strip-components=1", "--file"])
            .arg(&archive)
            .arg("--directory")
            .arg(&sources),
    )?;
    // The distribution leaves two files out; without the first, `test` is Python's own package.
    let write = |name: &str, content: &str| {
        let path = sources.join("test").join(name);
        std::fs::write(&path, content)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    write("__init__.py", "")?;
    write(
        "service.py",
        &read(&project.root.join("tests/clients/python/service.py"))?,
    )
}

fn node(project: &Project) -> Result<(), String> {
    let folder = project.cache.join("node");
    let manifests = ["package.json", "package-lock.json"];
    let sources = project.root.join("tests/clients/node");
    let stamp = Stamp::over_files(&folder, &manifests.map(|name| sources.join(name)))?;
    if stamp.is_current() {
        return Ok(());
    }
    need("npm", "npm")?;
    announce("kafkajs");
    stamp.clear()?;
    for name in manifests {
        std::fs::copy(sources.join(name), folder.join(name))
            .map_err(|error| format!("cannot copy {name}: {error}"))?;
    }
    run_quietly(Command::new("npm").current_dir(&folder).args([
        "ci",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--loglevel=error",
    ]))?;
    stamp.set()
}

fn go(project: &Project) -> Result<(), String> {
    let folder = project.cache.join("go");
    let sources = project.root.join("tests/clients/go");
    let stamp = Stamp::over_files(
        &folder,
        &["go.mod", "go.sum", "main.go", "member.go"].map(|name| sources.join(name)),
    )?;
    if stamp.is_current() {
        return Ok(());
    }
    need("go", "golang")?;
    announce("the franz-go client");
    stamp.clear()?;
    run_quietly(
        Command::new("go")
            .current_dir(&sources)
            .args(["build", "-mod=readonly", "-o"])
            .arg(folder.join("client"))
            .arg("."),
    )?;
    stamp.set()
}
