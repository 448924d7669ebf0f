mod protocol;
mod calls;
mod listed;
mod allowed;
mod given_up;
mod ends;
mod text;
