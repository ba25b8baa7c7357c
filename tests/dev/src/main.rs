//! `cargo dev`: every chore of the project behind one command.

fn main() {
    println!("cargo dev: test");
}
