#[molen::main]
async fn main() -> Result<(), molen::RunError> {
    3
}
