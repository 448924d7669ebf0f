mod protocol;
mod calls;
mod allowed;
mod given_up;
mod ends;
mod text;
