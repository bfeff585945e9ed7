"""The timing of a film on a PowerPoint slide: automatic start and optional loop.

The XML tree is the one that PowerPoint writes for a film set to start automatically: the first
effect of the slide's main sequence plays it when the slide appears, the media node sets how
often, and a click on the film pauses or resumes it.
"""

from __future__ import annotations

from typing import Any

_NAMESPACE = "http://schemas.openxmlformats.org/presentationml/2006/main"

_TREE = """
<p:timing xmlns:p="{namespace}"><p:tnLst><p:par>
 <p:cTn id="1" dur="indefinite" restart="never" nodeType="tmRoot"><p:childTnLst>
  <p:seq concurrent="1" nextAc="seek">
   <p:cTn id="2" dur="indefinite" nodeType="mainSeq"><p:childTnLst><p:par>
    <p:cTn id="3" fill="hold">
     <p:stCondLst>
      <p:cond delay="indefinite"/>
      <p:cond evt="onBegin" delay="0"><p:tn val="2"/></p:cond>
     </p:stCondLst>
     <p:childTnLst><p:par>
      <p:cTn id="4" fill="hold">
       <p:stCondLst><p:cond delay="0"/></p:stCondLst>
       <p:childTnLst><p:par>
        <p:cTn id="5" presetID="1" presetClass="mediacall" presetSubtype="0" fill="hold"
          nodeType="afterEffect">
         <p:stCondLst><p:cond delay="0"/></p:stCondLst>
         <p:childTnLst>
          <p:cmd type="call" cmd="playFrom(0.0)"><p:cBhvr>
           <p:cTn id="6" dur="{milliseconds}" fill="hold"/>
           <p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl>
          </p:cBhvr></p:cmd>
         </p:childTnLst>
        </p:cTn>
       </p:par></p:childTnLst>
      </p:cTn>
     </p:par></p:childTnLst>
    </p:cTn>
   </p:par></p:childTnLst></p:cTn>
   <p:prevCondLst><p:cond evt="onPrev" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond>
   </p:prevCondLst>
   <p:nextCondLst><p:cond evt="onNext" delay="0"><p:tgtEl><p:sldTgt/></p:tgtEl></p:cond>
   </p:nextCondLst>
  </p:seq>
  <p:video><p:cMediaNode vol="80000">
   <p:cTn id="7" {often}fill="hold" display="0">
    <p:stCondLst><p:cond delay="indefinite"/></p:stCondLst>
   </p:cTn>
   <p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl>
  </p:cMediaNode></p:video>
  <p:seq concurrent="1" nextAc="seek">
   <p:cTn id="8" restart="whenNotActive" fill="hold" evtFilter="cancelBubble"
     nodeType="interactiveSeq">
    <p:stCondLst><p:cond evt="onClick" delay="0">
     <p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl></p:cond></p:stCondLst>
    <p:endSync evt="end" delay="0"><p:rtn val="all"/></p:endSync>
    <p:childTnLst><p:par>
     <p:cTn id="9" fill="hold">
      <p:stCondLst><p:cond delay="0"/></p:stCondLst>
      <p:childTnLst><p:par>
       <p:cTn id="10" fill="hold">
        <p:stCondLst><p:cond delay="0"/></p:stCondLst>
        <p:childTnLst><p:par>
         <p:cTn id="11" presetID="2" presetClass="mediacall" presetSubtype="0" fill="hold"
           nodeType="clickEffect">
          <p:stCondLst><p:cond delay="0"/></p:stCondLst>
          <p:childTnLst>
           <p:cmd type="call" cmd="togglePause"><p:cBhvr>
            <p:cTn id="12" dur="1" fill="hold"/>
            <p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl>
           </p:cBhvr></p:cmd>
          </p:childTnLst>
         </p:cTn>
        </p:par></p:childTnLst>
       </p:cTn>
      </p:par></p:childTnLst>
     </p:cTn>
    </p:par></p:childTnLst>
   </p:cTn>
   <p:nextCondLst><p:cond evt="onClick" delay="0">
    <p:tgtEl><p:spTgt spid="{shape}"/></p:tgtEl></p:cond></p:nextCondLst>
  </p:seq>
 </p:childTnLst></p:cTn>
</p:par></p:tnLst></p:timing>
"""


def start_automatically(page: Any, shape: int, seconds: float, loops: bool) -> None:
    """Replace the timing of a slide's film, which waits for a click, by an automatic start."""
    from lxml import etree

    tree = _TREE.format(
        namespace=_NAMESPACE,
        shape=shape,
        milliseconds=max(round(seconds * 1000), 1),
        often='repeatCount="indefinite" ' if loops else "",
    )
    parser = etree.XMLParser(remove_blank_text=True)
    element = page.element
    for old in element.findall(f"{{{_NAMESPACE}}}timing"):
        element.remove(old)
    # the schema requires it after the colour map and before any extension
    element.find(f"{{{_NAMESPACE}}}clrMapOvr").addnext(etree.fromstring(tree, parser))
