"""What SIPp's callers and its desk say, as pieces of its scenarios."""

SDP = """v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [rtpstream_audio_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15"""

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="{name}">
"""

CALLER = """<send retrans="500"><![CDATA[
INVITE sip:{line}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {display}<sip:{number}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:{line}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

{sdp}
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rtd="true" rrs="true"/>
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {display}<sip:{number}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
[routes]
Call-ID: [call_id]
CSeq: 1 ACK
Content-Length: 0
]]></send>
"""

INFO = """<pause milliseconds="{after_ms}"/>
<send retrans="500"><![CDATA[
INFO [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {display}<sip:{number}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
[routes]
Call-ID: [call_id]
CSeq: [cseq] INFO
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={key}
Duration=160
]]></send>
<recv response="200"/>
"""

# Each time round it is another transaction, which its branch must say.
AGAIN = INFO.replace("[branch]", "[branch]-[$pressed]")

PRESSES_ON = f"""<nop><action><assign assign_to="pressed" value="0"/></action></nop>
<label id="1"/>
{AGAIN}<nop><action>
<add assign_to="pressed" value="1"/>
<test assign_to="more" variable="pressed" compare="less_than" value="{{keys}}"/>
</action></nop>
<nop next="1" test="more"/>
"""

SPEAKS = """<nop><action><exec rtp_stream="{sound},1,8,PCMA/8000"/></action></nop>
"""

FALLS_SILENT = """<pause milliseconds="{mute_after_ms}"/>
<nop><action><exec rtp_stream="pause"/></action></nop>
<pause milliseconds="{mute_ms}"/>
<nop><action><exec rtp_stream="resume"/></action></nop>
"""

CALLER_LEAVES = """<pause {talk}/>
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {display}<sip:{number}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
[routes]
Call-ID: [call_id]
CSeq: 9999 BYE
Content-Length: 0
]]></send>
<recv response="200"/>
</scenario>
"""

CALLER_IS_LEFT = """<recv request="BYE" timeout="{patience_ms}"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0
]]></send>
</scenario>
"""

DESK_ANSWERS = """<recv request="INVITE" crlf="true" rrs="true"/>
<send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[pid]d[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:desk@[local_ip]:[local_port]>
Content-Length: 0
]]></send>
<pause milliseconds="{ring_ms}"/>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]d[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:desk@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

{sdp}
]]></send>
<recv request="ACK"/>
<nop><action><exec rtp_stream="{sound},-1,8,PCMA/8000"/></action></nop>
"""
