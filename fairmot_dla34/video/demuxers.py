"""Allow-lists of FFmpeg: demuxers of recorded video, and the protocols each kind of source may use.

FFmpeg also has demuxers that play any text as video (``tty``), run scripts that read other files (``concat``), or
accept any bytes (``rawvideo``), and protocols that join or cut files. A source uses none of them.
"""

from __future__ import annotations

_CONTAINERS = [
    "mov", "matroska", "avi", "flv", "live_flv", "kux", "mpegts", "mpeg", "ogg", "asf", "asf_o", "rm", "mxf", "gxf",
    "lxf", "nut", "nuv", "nsv", "dv", "wtv", "ty", "pva", "pmp", "ivf", "ivr", "swf", "gif", "apng", "jpegxl_anim",
    "mpjpeg", "smjpeg", "cine", "mlv", "r3d", "ser", "dhav", "hxvs", "ifv", "iv8", "luodat", "lmlm4", "lvf", "mxg",
    "nc", "vivo",
]  # fmt: skip

# Only those whose probe needs start codes or a magic number: h261, h263 and rawvideo accept other bytes too.
_ELEMENTARY_STREAMS = [
    "h264", "hevc", "vvc", "evc", "av1", "obu", "m4v", "mpegvideo", "mjpeg", "mjpeg_2000", "vc1", "vc1test",
    "cavsvideo", "avs2", "avs3", "dirac", "dnxhd", "apv", "yuv4mpegpipe",
]  # fmt: skip

_IMAGES = [
    "bmp_pipe", "dds_pipe", "dpx_pipe", "exr_pipe", "gif_pipe", "hdr_pipe", "j2k_pipe", "jpeg_pipe", "jpegls_pipe",
    "jpegxl_pipe", "pam_pipe", "pbm_pipe", "pcx_pipe", "pfm_pipe", "pgm_pipe", "pgmyuv_pipe", "pgx_pipe",
    "phm_pipe", "png_pipe", "ppm_pipe", "psd_pipe", "qoi_pipe", "sgi_pipe", "sunrast_pipe", "tiff_pipe",
    "webp_pipe", "xwd_pipe",
]  # fmt: skip

_FILE_ONLY = ["image2"]  # images known by their suffix, such as TGA; "pattern_type" stops it from reading other files
_NETWORK_ONLY = ["rtsp", "rtp", "dash"]
_PLAYLISTS = ["hls"]

# Their time stamps are invented by FFmpeg, at 25 frames/s.
UNTIMED = frozenset({"mpjpeg", *_ELEMENTARY_STREAMS} - {"yuv4mpegpipe", "obu"})

_HTTP = ("http", "https", "httpproxy", "tcp", "tls", "crypto", "data")
_PROTOCOLS = {
    "http": _HTTP,
    "https": _HTTP,
    "rtsp": ("rtsp", "rtsps", "rtp", "srtp", "udp", "tcp", "tls", "http", "https", "httpproxy"),
    "rtsps": ("rtsps", "rtp", "srtp", "udp", "tcp", "tls"),
    "rtmp": ("rtmp", "rtmps", "rtmpt", "rtmpe", "ffrtmphttp", "ffrtmpcrypt", "tcp", "tls", "http", "https"),
    "rtmps": ("rtmps", "tcp", "tls"),
    "rtp": ("rtp", "srtp", "udp"),
    "srt": ("srt", "udp"),
    "udp": ("udp",),
    "tcp": ("tcp",),
}


def file_options(*, is_playlist: bool) -> dict[str, str]:
    """Return FFmpeg's options for a local file.

    Args:
        is_playlist: Whether it is an HLS playlist, which may then name other local files.
    """
    if is_playlist:
        # From the first segment also if the playlist is unfinished; FFmpeg would start with the third last.
        return {**_options([*_allowed(), *_PLAYLISTS], ("file", "crypto", "data")), "live_start_index": "0"}
    return {**_options([*_allowed(), *_FILE_ONLY], ("file",)), "pattern_type": "none"}


def url_options(scheme: str) -> dict[str, str]:
    """Return FFmpeg's options for a URL.

    Args:
        scheme: Scheme of the URL, in lower case; files of this machine cannot be reached from any.
    """
    options = _options([*_allowed(), *_PLAYLISTS, *_NETWORK_ONLY], _PROTOCOLS[scheme])
    if scheme.startswith("rtsp"):
        return {**options, "rtsp_transport": "tcp"}
    # A raw stream is probed to this size, 1 MB by default: some seconds, of which the arrivals are not known.
    return {**options, "formatprobesize": "65536"} if scheme == "tcp" else options


def _allowed() -> list[str]:
    return [*_CONTAINERS, *_ELEMENTARY_STREAMS, *_IMAGES]


def _options(demuxers: list[str], protocols: tuple[str, ...]) -> dict[str, str]:
    return {"format_whitelist": ",".join(demuxers), "protocol_whitelist": ",".join(protocols)}
