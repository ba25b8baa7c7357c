//! The Java parts: each folder under `tests/` that has a `pom.xml` gets its jars, and its own
//! classes compiled against them. `tests/java/codec` is installed as `.cache/java/codec/`:
//!
//! ```text
//! .cache/java/codec/jars/      what the pom names, from Maven Central
//! .cache/java/codec/classes/   the folder's *.java, compiled
//! ```

use crate::Project;
use crate::command::run_quietly;
use crate::install::{Stamp, announce, need};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs every Java part.
pub fn install(project: &Project) -> Result<(), String> {
    let tests = project.root.join("tests");
    for family in ["clients", "java"] {
        for folder in entries(&tests.join(family))? {
            if folder.join("pom.xml").is_file() {
                install_part(project, &folder)?;
            }
        }
    }
    Ok(())
}

fn install_part(project: &Project, sources: &Path) -> Result<(), String> {
    let name = part_name(sources);
    let folder = project.cache.join("java").join(&name);
    let pom = sources.join("pom.xml");
    let programs: Vec<PathBuf> = entries(sources)?
        .into_iter()
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "java")
        })
        .collect();
    let mut inputs = vec![pom.clone()];
    inputs.extend(programs.iter().cloned());
    let stamp = Stamp::over_files(&folder, &inputs)?;
    if stamp.is_current() {
        return Ok(());
    }
    need("mvn", "maven")?;
    need("javac", "openjdk-17-jdk-headless")?;
    announce(&format!("the Java part {name}"));
    stamp.clear()?;
    let jars = folder.join("jars");
    run_quietly(
        Command::new("mvn")
            .args(["--quiet", "--batch-mode", "--file"])
            .arg(&pom)
            .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", jars.display())),
    )?;
    if !programs.is_empty() {
        run_quietly(
            Command::new("javac")
                .args([
                    "-Xlint:all,-processing,-classfile,-path,-options,-serial",
                    "-Werror",
                    "-d",
                ])
                .arg(folder.join("classes"))
                .arg("-classpath")
                .arg(jars.join("*"))
                .args(&programs),
        )?;
    }
    stamp.set()
}

/// What lies in `folder`, sorted; nothing where the folder is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let listing = std::fs::read_dir(folder)
        .map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = listing
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .collect();
    paths.sort();
    Ok(paths)
}

/// `tests/java/codec` is the part `codec`; `tests/clients/java` is the part `client`.
fn part_name(sources: &Path) -> String {
    let name = sources
        .file_name()
        .expect("a folder under tests/ has a name")
        .to_string_lossy();
    match &*name {
        "java" => "client".to_owned(),
        other => other.to_owned(),
    }
}
