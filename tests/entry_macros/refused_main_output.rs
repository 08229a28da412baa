struct Answer;

#[molen::main]
async fn main() -> Answer {
    Answer
}
