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

const PARTS: [Part; 8] = [
    ("kcat", kcat),
    ("chromium", chromium),
    ("valgrind", valgrind),
    ("python", python),
    ("node", node),
    ("go", go),
    ("java", java::install),
    ("rdkafka", rdkafka),
];

/// What the measurements alone need is installed when they ask for it by name.
const ONLY_NAMED: [&str; 1] = ["rdkafka"];

/// The crate that carries librdkafka's sources, and with them rdkafka_performance.
const RDKAFKA_SYS: &str = "4.10.0+2.12.1";

/// Installs the parts named, or all that the tests need.
pub fn install(project: &Project, named: &[String]) -> Result<(), String> {
    if let Some(unknown) = named
        .iter()
        .find(|name| PARTS.iter().all(|part| part.0 != **name))
    {
        return Err(format!("there is no part named {unknown} to install"));
    }
    for (name, install) in PARTS {
        let is_wanted = if named.is_empty() {
            !ONLY_NAMED.contains(&name)
        } else {
            named.iter().any(|chosen| chosen == name)
        };
        if is_wanted {
            install(project)
                .map_err(|why| format!("{name} is needed and could not be installed: {why}"))?;
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
    from_debian(&format!("kcat={KCAT}*"))?;
    if kcat_is_installed() {
        Ok(())
    } else {
        Err(format!(
            "apt-get ended well, but `kcat -V` does not say {KCAT}"
        ))
    }
}

/// Any version: the counts that are kept were made with the machine that valgrind imitates.
fn valgrind(_project: &Project) -> Result<(), String> {
    if exists("valgrind") {
        return Ok(());
    }
    announce("valgrind from Debian");
    from_debian("valgrind")?;
    need("valgrind", "valgrind")
}

/// The browser that pages are opened in. Whatever version Debian has now: old ones are withdrawn
/// when they are unsafe, so none can be pinned.
fn chromium(_project: &Project) -> Result<(), String> {
    if exists("chromium") {
        return Ok(());
    }
    announce("chromium from Debian");
    from_debian("chromium")?;
    need("chromium", "chromium")
}

/// Installs a package of Debian's.
fn from_debian(package: &str) -> Result<(), String> {
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

/// librdkafka and its own load generator, built from the sources in a crate: Debian ships the library
/// without the program.
fn rdkafka(project: &Project) -> Result<(), String> {
    let folder = project.cache.join("rdkafka");
    let manifest = format!(
        "[package]\nname = \"only-sources\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nrdkafka-sys = {{ version = \"={RDKAFKA_SYS}\", default-features = false }}\n"
    );
    let stamp = Stamp {
        path: folder.join("installed-from"),
        content: manifest.clone(),
    };
    if stamp.is_current() {
        return Ok(());
    }
    for (program, package) in [("cc", "gcc"), ("make", "make")] {
        need(program, package)?;
    }
    announce("librdkafka's rdkafka_performance, built from source");
    stamp.clear()?;
    let write = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::write(&path, content)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    write("Cargo.toml", &manifest)?;
    std::fs::create_dir(folder.join("src"))
        .map_err(|error| format!("cannot make {}/src: {error}", folder.display()))?;
    write("src/lib.rs", "")?;
    run_quietly(
        Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
            .current_dir(&folder)
            .args(["vendor", "--quiet", "vendor"]),
    )?;
    let sources = folder.join("vendor/rdkafka-sys/librdkafka");
    run_quietly(Command::new("bash").current_dir(&sources).args([
        "configure",
        "--disable-ssl",
        "--disable-gssapi",
        "--disable-curl",
    ]))?;
    let jobs = std::thread::available_parallelism().map_or(1, |count| count.get());
    for (place, target) in [("src", "librdkafka.a"), ("examples", "rdkafka_performance")] {
        run_quietly(
            Command::new("make")
                .current_dir(sources.join(place))
                .args([&format!("-j{jobs}"), target]),
        )?;
    }
    std::fs::copy(
        sources.join("examples/rdkafka_performance"),
        folder.join("rdkafka_performance"),
    )
    .map_err(|error| format!("cannot copy rdkafka_performance: {error}"))?;
    stamp.set()
}
