"""Metadata as providers write them: short, and changed by a test where it needs them otherwise."""

ADI = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE ADI SYSTEM "ADI.DTD">
<ADI>
  <Metadata>
    <AMS Product="MOD" Asset_Name="Slope" Provider_ID="hill.example" Asset_ID="HILL0" Asset_Class="package"/>
    <App_Data App="MOD" Name="Metadata_Spec_Version" Value="CableLabsVOD1.1"/>
  </Metadata>
  <Asset>
    <Metadata>
      <AMS Provider_ID="hill.example" Asset_ID="HILL1" Asset_Class="title"/>
      <App_Data App="MOD" Name="Title" Value="A slope &amp; wanders"/>
      <App_Data App="MOD" Name="Category" Value="Hills"/>
      <App_Data App="MOD" Name="Category" Value="Hills/High"/>
      <App_Data App="MOD" Name="Genre" Value="Nature"/>
      <App_Data App="MOD" Name="Run_Time" Value="00:00:04"/>
      <App_Data App="MOD" Name="Display_Run_Time" Value="00:00"/>
      <App_Data App="MOD" Name="Licensing_Window_Start" Value="2030-01-02"/>
      <App_Data App="MOD" Name="Licensing_Window_End" Value="2031-01-02"/>
      <App_Data App="HILL" Name="Steepness" Value="12"/>
    </Metadata>
    <Asset>
      <Metadata>
        <AMS Provider_ID="hill.example" Asset_ID="HILL2" Asset_Class="movie"/>
        <App_Data App="MOD" Name="Languages" Value="eng"/>
        <App_Data App="MOD" Name="Content_FileSize" Value="1000"/>
        <App_Data App="MOD" Name="Content_CheckSum" Value="2680090E51970E67B412AF35201B9053"/>
      </Metadata>
      <Content Value="slope.mp4"/>
    </Asset>
    <Asset>
      <Metadata><AMS Provider_ID="hill.example" Asset_ID="HILL3" Asset_Class="poster"/></Metadata>
      <Content Value="slope.jpg"/>
    </Asset>
  </Asset>
</ADI>
"""

SCTE_236 = """<?xml version="1.0" encoding="utf-8"?>
<core:ADI3 xmlns:core="http://www.scte.org/schemas/236/2017/core" xmlns:title="http://www.scte.org/schemas/236/2017/title"
  xmlns:content="http://www.scte.org/schemas/236/2017/content" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <core:Asset xsi:type="title:TitleType" uriId="hill.example/Title/1"
    startDateTime="2030-01-02T00:00:00Z" endDateTime="2031-01-02T01:00:00+01:00">
    <core:Ext><core:App_Data name="Steepness" value="12"/></core:Ext>
    <title:LocalizableTitle xml:lang="en"><title:TitleBrief>Slope</title:TitleBrief>
      <title:TitleLong>A slope &amp; wanders</title:TitleLong></title:LocalizableTitle>
    <title:Genre>Nature</title:Genre>
    <title:Genre>Hills</title:Genre>
  </core:Asset>
  <core:Asset xsi:type="content:MovieType" uriId="hill.example/Asset/2">
    <content:SourceUrl>slope.mp4</content:SourceUrl>
    <content:ContentFileSize>1000</content:ContentFileSize>
    <content:ContentCheckSum>2680090e51970e67b412af35201b9053</content:ContentCheckSum>
    <content:Duration>PT1H20M56S</content:Duration>
    <content:Language>eng</content:Language>
  </core:Asset>
</core:ADI3>
"""

# The names of elements instead of types, and the namespaces of an earlier release.
SCTE_236_BY_NAME = """<ADI3 xmlns="http://www.cablelabs.com/namespaces/metadata/xsd/vod30/1"
  xmlns:t="http://www.cablelabs.com/namespaces/metadata/xsd/title/1"
  xmlns:c="http://www.cablelabs.com/namespaces/metadata/xsd/content/1">
  <Title uriId="hill.example/1"><t:LocalizableTitle><t:TitleBrief>Slope</t:TitleBrief></t:LocalizableTitle></Title>
  <Movie uriId="hill.example/Asset/2"><c:SourceUrl>slope.mp4</c:SourceUrl></Movie>
</ADI3>
"""

PLAIN = """{
  "title": "A slope & wanders", "language": "en", "genres": ["Nature", "Hills"],
  "publish_at": "2030-01-02T00:00:00Z", "window_ends": "2031-01-02T00:00:00Z", "run_time": "01:20:56",
  "film": {"file": "slope.mp4", "length_bytes": 1000, "md5": "2680090e51970e67b412af35201b9053"},
  "picture": {"file": "slope.jpg"},
  "steepness": 12, "steepness": 13, "author": {"name": "Ann"}
}
"""
