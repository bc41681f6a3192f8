"""From a video source to tracks: the model, the pipeline of a video, and jobs that write files."""
